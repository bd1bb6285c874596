import type { Clock } from "../../host/clock.ts"
import type { PacketPort } from "./gspi.ts"
import { CONTROL, DATA, EVENT, eventFrame, readFrame, writeFrame, type WifiEvent } from "./sdpcm.ts"

/** Control messages (Broadcom's WLC_*) and events, by their numbers. */
const SET_SSID = 26
const DISASSOCIATE = 52
const GET_VARIABLE = 262
const SET_VARIABLE = 263
const SET_PASSPHRASE = 268
const controlHeaderBytes = 16

const EV_SET_SSID = 0
const EV_AUTH = 3
const EV_DISASSOCIATED = 11
const EV_LINK = 16
const EV_KEYS = 46
const EV_SCAN = 69
const noNetwork = 3
const keyed = 6
const wrongKey = 5
const partialResult = 8
const linkUp = 1

/** How long what the radio does takes: the chip scans for about a second, and associates in half of one. */
const controlMs = 0.5
const scanMs = 800
const associateMs = 400
const keysMs = 150

export interface AccessPoint {
    ssid: string
    /** Empty where anybody may join. */
    password: string
}

/** What an associated station sends goes there. */
export interface Network {
    receive(frame: Uint8Array): void
    /** Its answers. */
    onFrame?: (frame: Uint8Array) => void
}

/** The WiFi of a CYW43439: scans, joins an access point, passes Ethernet frames. */
export class Wifi implements PacketPort {
    readonly mac: Uint8Array
    onWaiting?: () => void
    private readonly clock: Clock
    private readonly accessPoint: AccessPoint
    private readonly network: Network
    private queue: Uint8Array[] = []
    private sequence = 0
    private heard = 0
    private passphrase = ""
    private isInReach = true
    private isAssociated = false
    /** Changes with each reset: what was under way is forgotten. */
    private generation = 0
    private attempt = 0
    private readonly variables = new Map<string, Buffer>()

    constructor(clock: Clock, mac: Uint8Array, accessPoint: AccessPoint, network: Network) {
        this.clock = clock
        this.mac = mac
        this.accessPoint = accessPoint
        this.network = network
        network.onFrame = frame => {
            if (this.isAssociated && this.isInReach) this.enqueue(DATA, frame)
        }
    }

    reset(): void {
        this.queue = []
        this.sequence = 0
        this.passphrase = ""
        this.isAssociated = false
        this.generation++
        this.variables.clear()
    }

    get associated(): boolean {
        return this.isAssociated
    }

    /** The access point goes, or comes back. */
    setInReach(isInReach: boolean): void {
        if (isInReach === this.isInReach) return
        this.isInReach = isInReach
        if (!isInReach && this.isAssociated) this.leave()
    }

    waiting(): Uint8Array | undefined {
        return this.queue[0]
    }

    taken(): void {
        this.queue.shift()
    }

    send(packet: Uint8Array): void {
        const frame = readFrame(packet)
        if (!frame) return
        this.heard = frame.sequence
        if (frame.channel === CONTROL) this.control(frame.payload)
        else if (frame.channel === DATA && this.isAssociated && this.isInReach) this.network.receive(frame.payload)
    }

    private control(message: Buffer): void {
        if (message.length < controlHeaderBytes) return
        const command = message.readUInt32LE(0)
        const body = message.subarray(controlHeaderBytes)
        const answer = Buffer.alloc(message.length)
        answer.set(message.subarray(0, controlHeaderBytes))
        answer.writeUInt32LE(0, 12)
        answer.set(this.result(command, body).subarray(0, body.length), controlHeaderBytes)
        this.later(controlMs, () => this.enqueue(CONTROL, answer))
        if (command === SET_SSID) this.join(body.toString("latin1", 4, 4 + body.readUInt32LE(0)))
        if (command === SET_PASSPHRASE) this.passphrase = body.toString("latin1", 4, 4 + body.readUInt16LE(0))
        if (command === DISASSOCIATE && this.isAssociated) this.leave()
        if (command === SET_VARIABLE && body.toString("latin1", 0, 6) === "escan\0") this.scan()
    }

    private result(command: number, body: Buffer): Uint8Array {
        if (command !== GET_VARIABLE && command !== SET_VARIABLE) return body
        const end = body.indexOf(0)
        const name = body.toString("latin1", 0, end)
        if (command === SET_VARIABLE) {
            this.variables.set(name, Buffer.from(body.subarray(end + 1)))
            return body
        }
        if (name === "cur_etheraddr") return this.mac
        if (name === "clmver") return Buffer.from("emulated")
        return this.variables.get(name) ?? Buffer.alloc(body.length)
    }

    private scan(): void {
        this.later(scanMs, () => {
            if (this.isInReach) this.event({ type: EV_SCAN, status: partialResult, data: this.beacon() })
            this.event({ type: EV_SCAN })
        })
    }

    private join(ssid: string): void {
        const attempt = ++this.attempt
        this.later(associateMs, () => {
            if (attempt !== this.attempt) return
            if (!this.isInReach || ssid !== this.accessPoint.ssid)
                return this.event({ type: EV_SET_SSID, status: noNetwork })
            this.event({ type: EV_AUTH })
            this.event({ type: EV_LINK, flags: linkUp })
            this.event({ type: EV_SET_SSID })
            this.later(keysMs, () => {
                if (attempt !== this.attempt) return
                const isRight = this.passphrase === this.accessPoint.password
                this.isAssociated = isRight
                this.event({ type: EV_KEYS, status: isRight ? keyed : wrongKey })
            })
        })
    }

    private leave(): void {
        this.isAssociated = false
        this.attempt++
        this.event({ type: EV_LINK, flags: 0 })
        this.event({ type: EV_DISASSOCIATED })
    }

    /** What the chip tells of an access point that it has heard (wl_escan_result_t). */
    private beacon(): Uint8Array {
        const { ssid, password } = this.accessPoint
        const rsn = Buffer.from("301401000fac040100000fac040100000fac020000", "hex")
        const elements = password ? rsn : Buffer.alloc(0)
        const headBytes = 12
        const bssBytes = 128
        const result = Buffer.alloc(headBytes + bssBytes + elements.length)
        result.writeUInt32LE(result.length, 0)
        result.writeUInt16LE(1, 10)
        const bss = result.subarray(headBytes)
        bss.writeUInt32LE(109, 0)
        bss.writeUInt32LE(bss.length, 4)
        bss.set([0x02, 0x56, 0x4d, 0, 0, 1], 8)
        bss.writeUInt16LE(100, 14)
        bss.writeUInt16LE(password ? 0x11 : 0x01, 16)
        bss[18] = Buffer.byteLength(ssid, "latin1")
        bss.write(ssid, 19, "latin1")
        bss.writeUInt16LE(0x1006, 72)
        bss.writeInt16LE(-40, 78)
        bss[88] = 6
        bss.writeUInt16LE(bssBytes, 116)
        bss.writeUInt32LE(elements.length, 120)
        bss.set(elements, bssBytes)
        return result
    }

    private event(event: WifiEvent): void {
        this.enqueue(EVENT, eventFrame(this.mac, event))
    }

    private enqueue(channel: number, payload: Uint8Array): void {
        this.queue.push(writeFrame(channel, this.sequence++ & 255, this.heard, payload))
        this.onWaiting?.()
    }

    private later(ms: number, fn: () => void): void {
        const { generation } = this
        this.clock.setTimeout(() => {
            if (generation === this.generation) fn()
        }, ms)
    }
}
