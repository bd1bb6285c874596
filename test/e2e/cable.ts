import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"

/** A network cable to a port of this machine. While it is unplugged nothing passes, and nobody is told: connections stay open. */
export class Cable {
    private readonly server: Server
    private readonly sockets = new Set<Socket>()
    private isUnplugged = false

    private constructor(target: number) {
        this.server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, near => {
            const far = connect({ port: target, host: "localhost", allowHalfOpen: true })
            this.join(near, far)
            this.join(far, near)
            if (!this.isUnplugged) near.resume()
        })
    }

    static async to(target: number): Promise<Cable> {
        const cable = new Cable(target)
        await new Promise<void>(resolve => cable.server.listen(0, "localhost", resolve))
        return cable
    }

    get port(): number {
        return (this.server.address() as AddressInfo).port
    }

    unplug(): void {
        this.isUnplugged = true
        for (const socket of this.sockets) socket.pause()
    }

    plug(): void {
        this.isUnplugged = false
        for (const socket of this.sockets) socket.resume()
    }

    close(): void {
        this.server.close()
        for (const socket of this.sockets) socket.destroy()
    }

    private join(from: Socket, to: Socket): void {
        this.sockets.add(from)
        from.on("data", bytes => to.write(bytes))
        from.on("end", () => to.end())
        from.on("error", () => {})
        from.on("close", () => {
            this.sockets.delete(from)
            to.destroy()
        })
        if (this.isUnplugged) from.pause()
    }
}
