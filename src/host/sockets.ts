import { closeSync, openSync } from "node:fs";
import { createServer, type Socket } from "node:net";

import type { Sockets } from "../base/index.js";

const name = "held";

export const nodeSockets: Sockets = {
  async hold(folder) {
    const held: Socket[] = [];
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on("error", () => undefined); // the other side has gone, which is all the same here
      held.push(socket);
    });
    const descriptor = openSync(folder, "r");
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      server.listen(`/proc/self/fd/${String(descriptor)}/${name}`, resolve);
    });
    return {
      path: `/proc/${String(process.pid)}/fd/${String(descriptor)}/${name}`,
      connected: () => held.length > 0,
      close: () => {
        for (const socket of held) socket.destroy();
        server.close(() => {
          closeSync(descriptor);
        });
      },
    };
  },
};
