import { connect, type Socket } from "node:net"
import { UserError } from "../../host/errors.ts"

/** Port on which `devs devtools` accepts Jacdac over TCP. */
const devtoolsPort = 8082
/** A frame is sent as one length byte and its bytes; longer frames stay on the mote's own bus. */
const maxFrameBytes = 254

/**
 * Connects a mote's Jacdac bus to DeviceScript's developer tools, as a USB cable does for a board: the tools and the VS
 * Code debugger then see the mote.
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
     * @param receive called with each frame from the tools
     * @throws UserError if no developer tools are running
     */
    static connect(receive: (frame: Uint8Array) => void, port = devtoolsPort): Promise<DevtoolsBridge> {
        return new Promise((resolve, reject) => {
            const socket = connect(port, "127.0.0.1", () => resolve(new DevtoolsBridge(socket, receive)))
            socket.once("error", () =>
                reject(new UserError(`no developer tools on port ${port}: run npx devs devtools`)),
            )
        })
    }

    /** Sends a frame from the mote's bus to the tools. */
    send(frame: Uint8Array): void {
        if (frame.length <= maxFrameBytes && this.socket.writable)
            this.socket.write(Buffer.from([frame.length, ...frame]))
    }

    close(): void {
        this.socket.destroy()
    }
}
