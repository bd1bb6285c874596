import { randomBytes } from "node:crypto"
import { silentLog } from "../../../host/log.ts"
import { CoapConnection } from "../../../router/coap/connection.ts"
import { Code, message, type CoapMessage } from "../../../router/coap/message.ts"
import { OptionNumber, pathOf, pathOptions, queryOf, uintOption, uintValue } from "../../../router/coap/options.ts"
import { Router, SqliteStore, type Attach } from "../../../router/index.ts"
import { ManualClock, settle } from "../../support/clock.ts"
import { MemoryClinic } from "../memory-clinic.ts"
import { TestMote } from "../../support/mote.ts"
import type { PipeEnd } from "../../../sim/time/pipe.ts"
import { streamPair } from "../../support/stream-pair.ts"

/** A router's core on a clock that a test moves. */
export async function startCore(motes: TestMote[], attach: Attach[] = []) {
    const clock = new ManualClock()
    const clinic = new MemoryClinic(...motes.map(mote => mote.routerKeys))
    const router = new Router({
        ...{ clock, clinic, random: randomBytes, store: SqliteStore.inMemory(), attach, log: silentLog },
    })
    await clock.advance(0)
    return new Core(router, clock, clinic)
}

class Core {
    readonly router: Router
    readonly clock: ManualClock
    readonly clinic: MemoryClinic

    constructor(router: Router, clock: ManualClock, clinic: MemoryClinic) {
        this.router = router
        this.clock = clock
        this.clinic = clinic
    }

    /** A connection to the router; requests of the router are answered by `serve`. */
    connect(serve: (request: CoapMessage) => CoapMessage | Promise<CoapMessage>, peer?: string) {
        const [stream, theirs] = streamPair()
        if (peer !== undefined) Object.assign(theirs, { peer })
        const { clock } = this
        const connection = new CoapConnection({
            ...{ stream, clock, random: randomBytes, serve, log: silentLog },
        })
        this.router.accept(theirs)
        connection.start()
        return { connection, stream }
    }

    /** A client, and the notifications that it got, as text. */
    client(peer?: string) {
        return new Client(this.connect(() => message(Code.NotFound), peer))
    }

    /** A mote that has brought its first envelope. */
    async mote(keys: TestMote): Promise<ServedMote> {
        const mote = new ServedMote(keys, this)
        await mote.bring()
        return mote
    }
}

/** The router's side of a mote is real; this is what a mote may answer. */
class ServedMote {
    readonly keys: TestMote
    readonly stream: PipeEnd
    readonly connection: CoapConnection
    /** Requests that came, such as `0.01 /status?x Accept=17`. */
    readonly asked: string[] = []
    /** Tokens of observers. */
    readonly observers: Uint8Array[] = []
    maxAgeS = 5
    sequence = 0
    answer: (request: CoapMessage) => CoapMessage | Promise<CoapMessage>
    private readonly core: Core

    constructor(keys: TestMote, core: Core) {
        this.keys = keys
        this.core = core
        this.answer = () => this.content("ok")
        const { connection, stream } = core.connect(request => this.serve(request))
        this.connection = connection
        this.stream = stream
    }

    get eui(): string {
        return this.keys.eui
    }

    async bring(envelope = this.keys.envelope()): Promise<void> {
        const options = [...pathOptions("/vitals"), uintOption(OptionNumber.ContentFormat, 17)]
        const posted = this.connection.request(Code.POST, { options, payload: envelope })
        await this.core.clock.advance(1)
        await posted
        await settle()
    }

    content(text: string, ...options: ReturnType<typeof uintOption>[]): CoapMessage {
        const maxAge = uintOption(OptionNumber.MaxAge, this.maxAgeS)
        return message(Code.Content, { options: [...options, maxAge], payload: Buffer.from(text) })
    }

    /** Notifies all observers. */
    async notify(text: string): Promise<void> {
        const observe = uintOption(OptionNumber.Observe, ++this.sequence)
        await this.tell(this.content(text, observe))
    }

    /** Sends all observers a response as it is. */
    async tell(response: CoapMessage): Promise<void> {
        for (const token of this.observers) this.connection.addObserver(token, () => {}).send(response)
        await settle()
    }

    private serve(request: CoapMessage): CoapMessage | Promise<CoapMessage> {
        const query = queryOf(request.options)
            .map(part => `?${part}`)
            .join("")
        const accept = uintValue(request.options, OptionNumber.Accept)
        const observe = uintValue(request.options, OptionNumber.Observe)
        this.asked.push(
            `0.0${request.code} ${pathOf(request.options)}${query}` +
                (accept === undefined ? "" : ` Accept=${accept}`) +
                (observe === undefined ? "" : ` Observe=${observe}`),
        )
        const hex = (token: Uint8Array) => Buffer.from(token).toString("hex")
        const at = this.observers.findIndex(token => hex(token) === hex(request.token))
        if (observe === 1 && at >= 0) this.observers.splice(at, 1)
        if (observe !== 0 || pathOf(request.options) !== "/vitals") return this.answer(request)
        this.observers.push(Uint8Array.from(request.token))
        return this.content("first", uintOption(OptionNumber.Observe, this.sequence))
    }
}

/** Somebody who asks the router. */
class Client {
    readonly connection: CoapConnection
    readonly stream: PipeEnd
    /** `2.05 text`, and `closed` */
    readonly notified: string[] = []

    constructor({ connection, stream }: { connection: CoapConnection; stream: PipeEnd }) {
        this.connection = connection
        this.stream = stream
    }

    async ask(code: number, path: string, ...options: ReturnType<typeof uintOption>[]) {
        return text(await this.connection.request(code, { options: [...pathOptions(path), ...options] }))
    }

    get(path: string, ...options: ReturnType<typeof uintOption>[]): Promise<string> {
        return this.ask(Code.GET, path, ...options)
    }

    async observe(path: string, ...options: ReturnType<typeof uintOption>[]) {
        const { response, cancel } = await this.connection.observe(
            { options: [...pathOptions(path), ...options] },
            notification => this.notified.push(notification ? text(notification) : "closed"),
        )
        const sequence = uintValue(response.options, OptionNumber.Observe)
        return { first: text(response), sequence, cancel }
    }
}

function text({ code, payload }: CoapMessage): string {
    return `${code >> 5}.${String(code & 31).padStart(2, "0")} ${Buffer.from(payload).toString()}`.trim()
}
