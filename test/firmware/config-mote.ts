import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import type { ByteStream } from "../../host/stream.ts"
import type { Mote } from "../../sim/mote/mote.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { decodeRefusal } from "../../wire/refusal.ts"
import { deriveKeys, eui, type MoteKeys } from "../../wire/keys.ts"

const program = "test/src/downlink.ts"
/** Time for power-up, settings, program and connection. */
const startS = 10

export interface Note {
    version: number
    refused?: number
    reason?: string
}

/** A flash whose power fails at a given write: neither that write nor any later one is stored. */
class CutFlash {
    contents: Uint8Array = new Uint8Array(0)
    writesLeft = Infinity
    writes = 0

    load(): Uint8Array {
        return this.contents
    }

    save(contents: Uint8Array): void {
        if (this.writesLeft-- <= 0) throw new Error("the power is cut")
        this.writes++
        this.contents = Uint8Array.from(contents)
    }
}

function refusalIn(hex: string): string {
    return Object.values(decodeRefusal(Buffer.from(hex, "hex"))).join(" ")
}

/** A mote that only answers requests through `test/src/downlink.ts`. */
export class ConfigMote {
    readonly flash = new CutFlash()
    readonly panics: number[] = []
    secret: Uint8Array = randomBytes(32)
    kid: Uint8Array = randomBytes(8)
    private readonly clock = new VirtualClock()
    private readonly settings: Record<string, unknown>
    private mote: Mote | undefined
    private far: ByteStream | undefined
    private answer = ""

    /** @param settings in addition to identity and router */
    constructor(settings: Record<string, unknown> = {}) {
        this.settings = settings
    }

    get keys(): MoteKeys {
        return deriveKeys(this.secret, this.kid)
    }

    static async start(settings: Record<string, unknown> = {}): Promise<ConfigMote> {
        const mote = new ConfigMote(settings)
        await mote.restart()
        return mote
    }

    /** Switches the power off and on, with the current identity; it fails again after this many writes. */
    async restart(writesLeft = Infinity): Promise<void> {
        this.mote?.stop()
        this.far = undefined
        this.flash.writesLeft = writesLeft
        const { mote } = await runProgram(program, {
            clock: this.clock,
            flash: this.flash,
            settings: {
                kid: eui(this.kid),
                secret: Buffer.from(this.secret).toString("hex"),
                router: "coap+tcp://router.invalid",
                ...this.settings,
            },
            panic: code => this.panics.push(code),
            connect: () => {
                const [near, far] = pipe(this.clock)
                far.listen({
                    data: bytes => (this.answer += Buffer.from(bytes).toString()),
                    closed: () => {},
                })
                this.far = far
                return Promise.resolve(near)
            },
        })
        this.mote = mote
        await this.pass(startS, () => this.far !== undefined)
        if (this.flash.writesLeft >= 0) assert.ok(this.far, "it starts")
        await this.pass(0.1)
    }

    /** Advances virtual time. */
    async pass(seconds: number, until?: () => boolean): Promise<void> {
        await this.clock.run(seconds * 1000, until)
    }

    /** The response to a request. Undefined if there is none, as without power. */
    async tell(order: string, sealed: Uint8Array = new Uint8Array(0)): Promise<string | undefined> {
        this.answer = ""
        this.far!.write(Buffer.concat([Buffer.from(order), sealed]))
        await this.pass(2, () => this.answer.endsWith("\n"))
        assert.deepEqual(this.panics, [])
        return this.answer.endsWith("\n") ? this.answer.slice(0, -1) : undefined
    }

    /** `applied`, or the refusal with its parameters: `out-of-range led 1 50`. */
    async configure(sealed: Uint8Array): Promise<string | undefined> {
        const said = await this.tell("c", sealed)
        return said === undefined || said === "applied" ? said : refusalIn(said)
    }

    /** `done`, or the refusal. */
    async identify(sealed: Uint8Array): Promise<string | undefined> {
        const said = await this.tell("i", sealed)
        return said === undefined || said === "done" ? said : refusalIn(said)
    }

    async config(): Promise<Record<string, unknown>> {
        return JSON.parse((await this.tell("g"))!) as Record<string, unknown>
    }

    /** The configuration status for the next envelope, which then counts as reported. */
    async note(): Promise<Note | undefined> {
        const [version, refused, refusal = ""] = (await this.tell("n"))!.split(" ")
        if (version === "nothing") return undefined
        if (refused === undefined) return { version: Number(version) }
        return { version: Number(version), refused: Number(refused), reason: refusalIn(refusal) }
    }

    /** Makes the uplink check the configuration. Resolves to whether the router changes. */
    async tick(): Promise<boolean> {
        return (await this.tell("t")) === "moved"
    }

    /** Delivers a receipt from the router to which the mote has moved. */
    async receipted(): Promise<void> {
        await this.tell("r")
    }

    stop(): void {
        this.mote?.stop()
    }
}
