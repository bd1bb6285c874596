import { connect, type Socket } from "node:net"
import { UserError } from "../../host/errors.ts"

/** Where `devs devtools` listens for Jacdac over TCP. */
const devtoolsPort = 8082
/** A frame goes as its length and its bytes; longer ones stay on the mote's own bus. */
const maxFrameBytes = 254

/**
 * Puts a mote's Jacdac bus on that of DeviceScript's developer tools, as a USB cable does with a board: the tools and
 * the debugger of VS Code then see the mote.
 */
export class DevtoolsBridge {
    private readonly socket: Socket
    private pending = Buffer.alloc(0)

    private constructor(socket: Socket, receive: (frame: Uint8Array) => void) {
        this.socket = socket
        socket.on("error", () => socket.destroy())
        socket.on("data", bytes => {
            this.pending = Buffer.concat([this.pending, bytes])
            for (;;) {
                const size = this.pending[0]
                if (size === undefined || this.pending.length <= size) return
                receive(new Uint8Array(this.pending.subarray(1, 1 + size)))
                this.pending = this.pending.subarray(1 + size)
            }
        })
    }

    /**
     * @param receive gets the frames that the tools send
     * @throws UserError when no developer tools run there
     */
    static connect(receive: (frame: Uint8Array) => void, port = devtoolsPort): Promise<DevtoolsBridge> {
        return new Promise((resolve, reject) => {
            const socket = connect(port, "127.0.0.1", () => resolve(new DevtoolsBridge(socket, receive)))
            socket.once("error", () =>
                reject(new UserError(`no developer tools on port ${port}: run npx devs devtools`)),
            )
        })
    }

    /** A frame from the mote's bus. */
    send(frame: Uint8Array): void {
        if (frame.length <= maxFrameBytes && this.socket.writable)
            this.socket.write(Buffer.from([frame.length, ...frame]))
    }

    close(): void {
        this.socket.destroy()
    }
}
