import type { Clock } from "../../host/clock.ts"
import { frameIsCommand, packFrame, unpackFrame, type Packet } from "./frame.ts"

/** A service of a simulated Jacdac device. */
export interface Service {
    readonly serviceClass: number
    /** Handles a command for this service. Responses go through `report`, now or later. */
    handle(command: Packet, report: (command: number, payload: Uint8Array) => void): void
}

const announceCommand = 0x0000
const announceIntervalMs = 500
const supportsAck = 0x0100
const crcAckServiceIndex = 0x3f
const ackRequested = 0x02
const notImplementedReport = 0x0003

/**
 * A device on the Jacdac bus of one machine: it announces its services every 500 ms and answers commands
 * (Jacdac protocol, "Control service").
 */
export class JacdacDevice {
    private readonly clock: Clock
    private readonly deviceId: string
    private readonly services: Service[]
    private readonly send: (frame: Uint8Array) => void
    private timer: unknown
    private restartCounter = 1

    /** @param send delivers a frame to the bus */
    constructor(clock: Clock, deviceId: string, services: Service[], send: (frame: Uint8Array) => void) {
        this.clock = clock
        this.deviceId = deviceId
        this.services = services
        this.send = send
        this.announce()
    }

    /** Handles a frame that another device sent on the bus. */
    receive(frame: Uint8Array): void {
        for (const packet of unpackFrame(frame)) {
            if (!(packet.flags & frameIsCommand) || packet.deviceId !== this.deviceId) continue
            if (packet.flags & ackRequested)
                this.report(crcAckServiceIndex, frame[0]! | (frame[1]! << 8), new Uint8Array(0))
            const service = this.services[packet.serviceIndex - 1]
            if (service)
                service.handle(packet, (command, payload) => this.report(packet.serviceIndex, command, payload))
            else if (packet.serviceIndex) this.report(packet.serviceIndex, notImplementedReport, notImplemented(packet))
        }
    }

    /** Takes the device off the bus. */
    stop(): void {
        this.clock.clearTimeout(this.timer)
    }

    private announce(): void {
        const payload = Buffer.alloc(4 + 4 * this.services.length)
        payload.writeUInt32LE(this.restartCounter | supportsAck, 0)
        if (this.restartCounter < 0xf) this.restartCounter++
        this.services.forEach((service, i) => payload.writeUInt32LE(service.serviceClass, 4 + 4 * i))
        this.report(0, announceCommand, payload)
        this.timer = this.clock.setTimeout(() => this.announce(), announceIntervalMs)
    }

    private report(serviceIndex: number, command: number, payload: Uint8Array): void {
        this.send(packFrame({ deviceId: this.deviceId, flags: 0, serviceIndex, command, payload }))
    }
}

function notImplemented(packet: Packet): Uint8Array {
    const payload = Buffer.alloc(4)
    payload.writeUInt16LE(packet.command, 0)
    return payload
}
