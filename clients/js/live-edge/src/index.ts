/** The public face of `@hanzo/live-edge`. */

export { HanzoLiveEdge, type HanzoLiveEdgeOptions } from "./edge";
export { HanzoLiveSession } from "./session";
export type { DurableNamespace, KeyValue } from "./workers";
