/** The native engine passes the whole contract. */
import { engineContract } from "./contract.js";
import { openEngine } from "./in-process.js";

engineContract({ name: "native", open: openEngine, skips: {} });
