import type { Clock } from "../../host/clock.ts"
import type { ByteStream, StreamReceiver } from "../../host/stream.ts"
import { illBody, madeUpBody, syntheticBody, type Body } from "../body/index.ts"
import { wearableChips } from "../devices/chips.ts"
import { timersOf } from "../time/events.ts"
import { Mote } from "../mote/mote.ts"
import type { MoteMachine, StartSilicon } from "../mote/silicon.ts"
import { memoryFlash } from "../mote/program.ts"
import { seededBytes } from "../time/random.ts"
import { VirtualClock } from "../time/clock.ts"
import { portMs, type MoteEvent, type MoteSetup, type MoteCommand, type ShardOptions } from "./messages.ts"

type Emit = (what: WithoutMote<MoteEvent>) => void
type WithoutMote<T> = T extends unknown ? Omit<T, "at" | "id" | "life"> : never

/** A group of motes without their radios, with its own clock. */
export class Shard {
    private readonly options: ShardOptions
    private readonly startSilicon: StartSilicon | undefined
    private readonly clock: VirtualClock
    private readonly motes = new Map<number, ShardMote>()
    private events: MoteEvent[] = []
    private failure: Error | undefined
    private last: Promise<MoteEvent[]> = Promise.resolve([])

    /** @param startSilicon what its motes run on, if not on DeviceScript's VM */
    constructor(options: ShardOptions, startSilicon?: StartSilicon) {
        this.options = options
        this.startSilicon = startSilicon
        this.clock = new VirtualClock(options.startMs)
    }

    /** See `RunShard`; windows run one after another. @throws UserError if a mote cannot be started */
    run(until: number, commands: MoteCommand[]): Promise<MoteEvent[]> {
        return (this.last = this.last.then(() => this.pass(until, commands)))
    }

    private async pass(until: number, commands: MoteCommand[]): Promise<MoteEvent[]> {
        const { clock } = this
        for (const command of commands) clock.setTimeout(() => this.execute(command), command.at + portMs - clock.now())
        await clock.run(until - clock.now())
        if (this.failure) throw this.failure
        const { events } = this
        this.events = []
        return events
    }

    private execute(command: MoteCommand): void {
        const { id } = command
        let mote = this.motes.get(id)
        if (!mote) this.motes.set(id, (mote = new ShardMote(id, this.options, this.clock, this.startSilicon)))
        if (command.kind !== "start") return mote.execute(command)
        const { life, setup } = command
        const emit: Emit = what => this.events.push({ ...what, at: this.clock.now(), id, life } as MoteEvent)
        const started = mote.start(setup, emit).catch((error: Error) => void (this.failure = error))
        // A board's storage is written by other means than the virtual time's.
        if (this.startSilicon) this.clock.hold(started)
    }
}

class ShardMote {
    private readonly id: number
    private readonly options: ShardOptions
    private readonly clock: VirtualClock
    private readonly flash = memoryFlash()
    private readonly connections = new Map<number, PortStream>()
    private readonly startSilicon: StartSilicon | undefined
    private opened = 0
    private mote: MoteMachine | undefined
    /** Of this start. */
    private emit: Emit = () => {}

    constructor(id: number, options: ShardOptions, clock: VirtualClock, startSilicon?: StartSilicon) {
        this.id = id
        this.startSilicon = startSilicon
        this.options = options
        this.clock = clock
    }

    async start({ kid, secret, router, random, wearer }: MoteSetup, emit: Emit): Promise<void> {
        const { id, clock } = this
        const { seed, image } = this.options
        this.emit = emit
        const settings = { kid, secret, router }
        const body = bodyOf(seed, id, wearer)
        const common = {
            connect: (host: string, port: number) => this.connect(host, port),
            log: (line: string) => this.emit({ kind: "log", line }),
        }
        if (this.startSilicon) {
            if (this.mote) return await this.mote.powerUp()
            const chips = (own: Clock) => wearableChips(own, body, id)
            this.mote = await this.startSilicon({ ...common, clock, seed: seed * 1000 + id, settings, chips })
            return
        }
        this.mote = await Mote.start({
            ...common,
            clock: timersOf(clock),
            settle: () => clock.settle(),
            random: seededBytes(seed, random),
            image,
            flash: this.flash,
            deviceId: kid,
            settings,
            chips: wearableChips(clock, body, id),
            panic: code => emit({ kind: "panic", code }),
        })
    }

    private connect(host: string, port: number): Promise<ByteStream> {
        const { emit } = this
        const connection = ++this.opened
        const stream = new PortStream(host, connection, what => {
            if (what.kind === "end" || what.kind === "destroy") this.connections.delete(connection)
            emit(what)
        })
        this.connections.set(connection, stream)
        emit({ kind: "connect", connection, host, port })
        return stream.opened
    }

    execute(command: Exclude<MoteCommand, { kind: "start" }>): void {
        if (command.kind === "crash") return this.mote?.crash()
        if (command.kind === "stop") {
            this.connections.clear()
            return this.mote?.stop()
        }
        const stream = this.connections.get(command.connection)
        if (command.kind === "closed" || command.kind === "refused") this.connections.delete(command.connection)
        stream?.execute(command)
    }
}

/** The firmware's end of a connection. */
class PortStream implements ByteStream {
    readonly peer: string
    readonly opened: Promise<ByteStream>
    private readonly connection: number
    private readonly emit: Emit
    private answered!: { resolve: (stream: ByteStream) => void; reject: (error: Error) => void }
    private receiver: StreamReceiver | undefined
    private early: ((receiver: StreamReceiver) => void)[] = []
    private written = 0
    private sent = 0
    private isOver = false

    constructor(peer: string, connection: number, emit: Emit) {
        this.peer = peer
        this.connection = connection
        this.emit = emit
        this.opened = new Promise((resolve, reject) => (this.answered = { resolve, reject }))
    }

    get backlog(): number {
        return this.written - this.sent
    }

    write(bytes: Uint8Array): void {
        if (this.isOver) return
        this.written += bytes.length
        this.emit({ kind: "write", connection: this.connection, bytes: bytes.slice() })
    }

    end(): void {
        this.finish("end")
    }

    destroy(): void {
        this.finish("destroy")
    }

    listen(receiver: StreamReceiver): void {
        this.receiver = receiver
        for (const deliver of this.early.splice(0)) deliver(receiver)
    }

    execute(command: Extract<MoteCommand, { connection: number }>): void {
        switch (command.kind) {
            case "opened":
                return this.answered.resolve(this)
            case "refused":
                return this.answered.reject(new Error(command.reason))
            case "left":
                this.sent = command.sent
                return
            case "data":
                return this.deliver(receiver => receiver.data(command.bytes))
            case "closed":
                this.isOver = true
                return this.deliver(receiver => receiver.closed())
        }
    }

    private deliver(deliver: (receiver: StreamReceiver) => void): void {
        if (this.receiver) deliver(this.receiver)
        else this.early.push(deliver)
    }

    private finish(kind: "end" | "destroy"): void {
        if (this.isOver) return
        this.isOver = true
        this.emit({ kind, connection: this.connection })
    }
}

function bodyOf(seed: number, id: number, wearer: MoteSetup["wearer"]): Body {
    if (!wearer) return madeUpBody(seed * 1000 + id)
    const { condition, within, bpm = 72, temperature = 37, spo2 = 97 } = wearer
    if (condition) return illBody(condition, seed * 1000 + id, within)
    return syntheticBody({ seed: id, bpm, coreC: temperature, spo2 })
}
