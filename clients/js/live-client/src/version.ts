/** Of this package; told to the server in `hello`. A test holds it to package.json. */

export const VERSION = "0.1.0";
