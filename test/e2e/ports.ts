import { createServer, type AddressInfo } from "node:net"

/** A port that was free a moment ago, for a server that has to come back on the same one. */
export function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const server = createServer().once("error", reject)
        server.listen(0, "localhost", () => {
            const { port } = server.address() as AddressInfo
            server.close(() => resolve(port))
        })
    })
}
