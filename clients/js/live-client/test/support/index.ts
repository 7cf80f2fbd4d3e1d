/** What tests of other packages use as well. */

export { fixture, fixtureNames } from "./fixtures";
export { TestLog, type Entry, type Logged } from "./log";
export { complete, start, TestServer, token, type Peer } from "./server";
