/** What jsdom lacks of a browser, for all tests of the app. */

import { afterEach } from "vitest";
import "../../live-ui/test/setup";
import "../src/theme/theme";

afterEach(() => localStorage.clear());
