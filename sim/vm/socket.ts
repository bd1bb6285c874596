import type { ByteStream } from "../../host/stream.ts"
import type { VmModule } from "../../devicescript/vm.ts"

/** Opens a connection for the VM's socket; rejects on failure. */
export type Connect = (host: string, port: number, tls: boolean) => Promise<ByteStream>

/** Event codes of `jd_tcpsock_on_event` in the VM. */
const socketOpen = 1
const socketClose = 2
const socketError = 3
const socketData = 4

/** About the size of a TCP segment on a small device; the VM allocates each piece on its heap. */
const segmentBytes = 536

const notConnected = -10
/** Return code of the Pico W's firmware for a port that it does not support. */
const badPort = -100
/** DeviceScript's `Socket.send` waits if the send buffer is full. */
const bufferFull = -1
const sendBufferBytes = 16384

/** The VM's only TCP or TLS socket: opening another closes the first. */
export class VmSocket {
    private readonly vm: VmModule
    private readonly connect: Connect
    private readonly enter: (fn: () => void) => void
    private stream: ByteStream | undefined
    private generation = 0

    /** @param hasTls false for a Pico W */
    constructor(vm: VmModule, connect: Connect, enter: (fn: () => void) => void, hasTls = true) {
        this.vm = vm
        this.connect = connect
        this.enter = enter
        vm.sockIsAvailable = () => true
        vm.sockOpen = (hostPointer, port) => {
            // A negative port means TLS.
            if (port < 0 && !hasTls) return badPort
            this.open(this.text(hostPointer), Math.abs(port), port < 0)
            return 0
        }
        vm.sockWrite = (pointer, size) => {
            if (!this.stream) return notConnected
            if (this.stream.backlog > sendBufferBytes) return bufferFull
            this.stream.write(vm.HEAPU8.slice(pointer, pointer + size))
            return 0
        }
        vm.sockClose = () => {
            this.generation++ // also abandons a connection that is being opened
            if (!this.stream) return notConnected
            this.stream.end()
            this.stream = undefined
            return 0
        }
    }

    /** Drops the connection without informing the VM: power off. */
    destroy(): void {
        this.generation++
        this.stream?.destroy()
        this.stream = undefined
    }

    private open(host: string, port: number, tls: boolean): void {
        this.destroy()
        const generation = this.generation
        const name = `${tls ? "tls" : "tcp"}://${host}:${port}`
        this.connect(host, port, tls).then(
            stream => {
                if (generation !== this.generation) return stream.destroy()
                this.stream = stream
                this.event(socketOpen)
                stream.listen({
                    data: bytes => {
                        for (let at = 0; at < bytes.length; at += segmentBytes) {
                            if (generation !== this.generation) return
                            this.event(socketData, bytes.subarray(at, at + segmentBytes))
                        }
                    },
                    closed: () => {
                        if (generation !== this.generation) return
                        this.stream = undefined
                        this.event(socketClose)
                    },
                })
            },
            (error: Error) => {
                if (generation === this.generation) this.event(socketError, Buffer.from(`${name}: ${error.message}`))
            },
        )
    }

    private event(kind: number, bytes?: Uint8Array): void {
        // Never from inside the VM, which is not reentrant.
        this.enter(() => {
            if (!bytes) return this.vm._jd_em_tcpsock_on_event(kind, 0, 0)
            const pointer = this.vm._malloc(bytes.length)
            this.vm.HEAPU8.set(bytes, pointer)
            this.vm._jd_em_tcpsock_on_event(kind, pointer, bytes.length)
            this.vm._free(pointer)
        })
    }

    private text(pointer: number): string {
        const end = this.vm.HEAPU8.indexOf(0, pointer)
        return Buffer.from(this.vm.HEAPU8.subarray(pointer, end)).toString("utf8")
    }
}
