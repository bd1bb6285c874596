import assert from "node:assert/strict"
import { test } from "node:test"
import { VirtualClock } from "../../sim/time/clock.ts"
import { GspiSlave } from "../../emulator/wifi/gspi.ts"
import { CONTROL, DATA, EVENT, readFrame, writeFrame } from "../../emulator/wifi/sdpcm.ts"
import { PioBlock, type SpiSlave } from "../../emulator/wifi/spi-program.ts"
import { Wifi } from "../../emulator/wifi/wifi.ts"
import { flashWith } from "./arm.ts"
import { Board } from "../../emulator/board.ts"

const mac = Uint8Array.of(2, 0, 0, 0, 0, 7)

/** The host's side of the bus, as the driver sees it: words in memory. */
class Host {
    readonly clock = new VirtualClock()
    readonly received: Uint8Array[] = []
    readonly network = {
        receive: (frame: Uint8Array) => void this.received.push(frame),
        onFrame: undefined as ((frame: Uint8Array) => void) | undefined,
    }
    readonly wifi = new Wifi(this.clock, mac, { ssid: "ward", password: "password" }, this.network)
    readonly bus = new GspiSlave(this.wifi)
    isInterrupted = false
    private isConfigured = false
    private sequence = 0

    constructor() {
        this.bus.onInterrupt = isUp => (this.isInterrupted = isUp)
    }

    /** Before the bus is configured, bytes of a half word are swapped (the driver's `SWAP32`). */
    private wire(word: number): number {
        const swapped = this.isConfigured ? word : ((word & 0xff00ff) << 8) | ((word >>> 8) & 0xff00ff)
        return Buffer.from(Uint32Array.of(swapped).buffer).readUInt32BE(0)
    }

    transfer(isWrite: boolean, fn: number, address: number, size: number, data: number[] = []): number[] {
        const command = ((isWrite ? 1 : 0) << 31) | (1 << 30) | (fn << 28) | (address << 11) | size
        this.bus.select(true)
        for (const word of [command, ...data]) this.bus.write(this.wire(word >>> 0))
        const words = isWrite ? [] : Array.from({ length: Math.ceil(size / 4) }, () => this.wire(this.bus.read()))
        this.bus.select(false)
        return words.map(word => word >>> 0)
    }

    configure(): void {
        this.transfer(true, 0, 0, 4, [0x000204b3])
        this.isConfigured = true
    }

    readBackplane(address: number, size = 1): number {
        return this.transfer(false, 1, address, size + 4)[1]!
    }

    send(channel: number, payload: Uint8Array): void {
        const bdc = channel === DATA ? Buffer.of(0x20, 0, 0, 0) : Buffer.alloc(0)
        const frame = Buffer.alloc(12 + bdc.length + payload.length)
        frame.writeUInt16LE(frame.length, 0)
        frame.writeUInt16LE(~frame.length & 0xffff, 2)
        frame.set([this.sequence++, channel, 0, 12], 4)
        frame.set(Buffer.concat([bdc, payload]), 12)
        const padded = Buffer.concat([frame, Buffer.alloc(-frame.length & 3)])
        const words = Array.from({ length: padded.length / 4 }, (_, i) => padded.readUInt32LE(4 * i))
        this.transfer(true, 2, 0, frame.length, words)
    }

    control(command: number, body: Uint8Array): void {
        const message = Buffer.alloc(16 + body.length)
        message.writeUInt32LE(command, 0)
        message.writeUInt32LE(body.length, 4)
        message.set(body, 16)
        this.send(CONTROL, message)
    }

    /** The packet that waits, if there is one. */
    read(): Buffer | undefined {
        const status = this.transfer(false, 0, 8, 4)[0]!
        if (!(status & 0x100)) return undefined
        const length = (status >>> 9) & 0x7ff
        const words = this.transfer(false, 2, 0, length)
        return Buffer.from(Uint32Array.from(words).buffer).subarray(0, length)
    }

    async answers(ms = 2000): Promise<{ channel: number; payload: Buffer }[]> {
        await this.clock.run(ms)
        const frames = []
        for (let packet; (packet = this.read());) frames.push(readFrame(packet)!)
        return frames
    }
}

function eventOf(payload: Buffer): { type: number; status: number } {
    const event = payload.subarray(4 + 24)
    return { type: event.readUInt32BE(4), status: event.readUInt32BE(8) }
}

test("the test pattern in swapped words, then registers in the host's order", () => {
    const host = new Host()
    assert.equal(host.transfer(false, 0, 0x14, 4)[0], 0xfeedbead)
    host.configure()
    assert.equal(host.transfer(false, 0, 0x14, 4)[0], 0xfeedbead)
    assert.equal(host.transfer(false, 0, 0, 4)[0], 0x000204b3)
    assert.equal(host.transfer(false, 0, 8, 4)[0]! & 0x20, 0x20) // function 2 is ready
})

test("backplane: a window, clocks that are there, a core in reset until it is let go", () => {
    const host = new Host()
    host.configure()
    assert.equal(host.readBackplane(0x1000e) & 0xc0, 0xc0)
    ;[0x80, 0x10, 0x18].forEach((byte, i) => host.transfer(true, 1, 0x1000a + i, 1, [byte]))
    assert.equal(host.readBackplane(0x0800 | 0x7000) & 1, 1)
    host.transfer(true, 1, 0x0800 | 0x7000, 1, [0])
    assert.equal(host.readBackplane(0x0800 | 0x7000) & 1, 0)
    host.transfer(true, 1, 0x1001f, 1, [1])
    assert.equal(host.readBackplane(0x1001f) & 3, 3)
})

test("a control message is answered under its own header, and the interrupt line says so", async () => {
    const host = new Host()
    host.configure()
    host.control(262, Buffer.from("cur_etheraddr\0\0\0\0\0\0\0"))
    assert.equal(host.isInterrupted, false)
    const [answer, ...others] = await host.answers()
    assert.equal(answer!.channel, CONTROL)
    assert.equal(answer!.payload.readUInt32LE(0), 262)
    assert.deepEqual(answer!.payload.subarray(16, 22), Buffer.from(mac))
    assert.equal(others.length, 0)
    assert.equal(host.isInterrupted, false)
})

const passphrase = (text: string) =>
    Buffer.concat([Buffer.of(text.length, 0, 1, 0), Buffer.from(text.padEnd(64, "\0"))])
const ssid = (text: string) => Buffer.concat([Buffer.of(text.length, 0, 0, 0), Buffer.from(text.padEnd(32, "\0"))])

async function join(name: string, password: string): Promise<{ host: Host; events: ReturnType<typeof eventOf>[] }> {
    const host = new Host()
    host.configure()
    host.control(268, passphrase(password))
    host.control(26, ssid(name))
    const frames = await host.answers()
    return { host, events: frames.filter(({ channel }) => channel === EVENT).map(({ payload }) => eventOf(payload)) }
}

test("joining: authenticated, linked, keys; then frames pass both ways", async () => {
    const { host, events } = await join("ward", "password")
    assert.deepEqual(events, [
        { type: 3, status: 0 },
        { type: 16, status: 0 },
        { type: 0, status: 0 },
        { type: 46, status: 6 },
    ])
    host.send(DATA, Buffer.from("to the network"))
    assert.equal(Buffer.from(host.received[0]!).toString(), "to the network")
    host.network.onFrame!(Buffer.from("back"))
    const [frame] = await host.answers()
    assert.equal(frame!.payload.toString(), "back")
})

test("another network's name is not found, a wrong password gets no keys, and nothing passes", async () => {
    assert.deepEqual((await join("elsewhere", "password")).events, [{ type: 0, status: 3 }])
    const { host, events } = await join("ward", "wrong")
    assert.notEqual(events.at(-1)!.status, 6)
    host.send(DATA, Buffer.from("x"))
    assert.equal(host.received.length, 0)
})

test("out of reach: the link is lost", async () => {
    const { host } = await join("ward", "password")
    host.wifi.setInReach(false)
    const events = (await host.answers()).map(({ payload }) => eventOf(payload).type)
    assert.deepEqual(events, [16, 11])
})

test("a scan finds the access point with its name and that it is protected", async () => {
    const host = new Host()
    host.configure()
    host.control(263, Buffer.from("escan\0" + "\0".repeat(60)))
    const [, found, done] = await host.answers()
    assert.deepEqual(eventOf(found!.payload), { type: 69, status: 8 })
    assert.deepEqual(eventOf(done!.payload), { type: 69, status: 0 })
    const bss = found!.payload.subarray(4 + 24 + 48 + 12)
    assert.equal(bss.toString("latin1", 19, 19 + bss[18]!), "ward")
    assert.equal(bss.readUInt16LE(16) & 0x10, 0x10)
})

test("garbage on the bus is dropped", () => {
    for (const bytes of [
        [],
        [1, 2, 3],
        [12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        [255, 255, 0, 0, 0, 2, 0, 12, 0, 0, 0, 0],
    ])
        assert.equal(readFrame(Uint8Array.from(bytes)), undefined)
    const frame = readFrame(writeFrame(CONTROL, 3, 7, Buffer.from("abc")))
    assert.equal(frame!.payload.toString(), "abc")
})

/** The SDK's program, as it stands in the instruction memory from 0 on, with its side-set bits. */
const spiProgram = [0x6001, 0x1040, 0xe080, 0xb042, 0x4001, 0x1084]

test("the PIO runs the bus' program a word at a time, in the time of its bits", () => {
    const words: number[] = []
    const slave: SpiSlave = { write: word => void words.push(word >>> 0), read: () => 0x89abcdef }
    const board = new Board({ flash: flashWith({ code: "00be" }) })
    board.powerUp()
    const chip = board.chip!
    const pio = new PioBlock(chip, 1, 9, slave)
    chip.install(0x50300000, pio)
    const set = (offset: number, value: number) => chip.writeUint32(0x50300000 + offset, value >>> 0)
    spiProgram.forEach((opcode, i) => set(0x48 + 4 * i, opcode))
    set(0xc8, 2 << 16) // clock divider
    set(0xcc, (5 << 12) | (0 << 7)) // wraps from 5 to 0
    set(0xd0, (1 << 16) | (1 << 17)) // shifts to the left, pushes and pulls by itself
    set(0x00, 1 << 4)
    set(0x10, 31) // bits to send, less one
    set(0xd8, 0x6020) // out x, 32
    set(0x10, 31) // bits to receive, less one
    set(0xd8, 0x6040) // out y, 32
    set(0xd8, 0x0000) // jmp 0
    set(0x10, 0x01234567)
    const before = chip.time.nanos
    set(0x00, 1)
    while (pio.machines[0]!.rxFIFO.empty) {
        chip.time.skipTo(chip.time.nextNanos)
        chip.time.runAlarms()
    }
    assert.deepEqual(words, [0x01234567])
    assert.equal(chip.readUint32(0x50300020) >>> 0, 0x89abcdef)
    // 32 bits out, two instructions each, at half the system clock.
    const bitNanos = (2 * 2 * 1e9) / chip.clkSys
    assert.ok(Math.abs(chip.time.nanos - before - 32 * bitNanos) < bitNanos)
})
