import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import type { ByteStream } from "../../host/stream.ts"
import { encodeFrame, FrameReader } from "../../router/coap/frame.ts"
import { Code, codeClass, message, type CoapMessage } from "../../router/coap/message.ts"
import { pathOf, uintOption } from "../../router/coap/options.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { decodeAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import { openEnvelope, parseEnvelope, verifyEnvelope, type Envelope, type Purpose } from "../../wire/envelope.ts"
import { deriveKeys, eui, type MoteKeys } from "../../wire/keys.ts"
import { makeReceipt, type Receipt } from "../../wire/receipt.ts"
import { decodePack, type Measurement } from "../../wire/pack.ts"

/** The quantity by which the program `test/src/uplink.ts` numbers its readings. */
const firstBpm = 30
const perBpm = 10

/** A received envelope, with functions to answer it. */
export class Post {
    readonly router: ScriptedRouter
    readonly connection: ScriptedConnection
    readonly purpose: Purpose
    readonly envelope: Envelope
    /** Time of arrival in Unix ms. */
    readonly at: number
    private readonly token: Uint8Array

    constructor(connection: ScriptedConnection, purpose: Purpose, request: CoapMessage) {
        this.connection = connection
        this.purpose = purpose
        this.router = connection.router
        this.token = request.token
        this.envelope = parseEnvelope(Uint8Array.from(request.payload))
        this.at = this.router.clock.now()
    }

    get hex(): string {
        return Buffer.from(this.envelope.bytes).toString("hex")
    }

    /** Its content as intended, if it had arrived at once. */
    get measurements(): Measurement[] {
        return this.purpose === "vitals" ? decodePack(this.plaintext, this.at) : []
    }

    get alarms(): AlarmEvent[] {
        return this.purpose === "alarm" ? decodeAlarms(this.plaintext, this.at) : []
    }

    private get plaintext(): Uint8Array {
        return openEnvelope(this.envelope, this.router.keys.upEnc)
    }

    /** A receipt as from a router, or with other content, for another nonce, or under another key. */
    receipt({
        nonce = this.envelope.nonce,
        key = this.router.keys.receipt,
        ...o
    }: Partial<Receipt> & { nonce?: Uint8Array; key?: Uint8Array } = {}): Uint8Array {
        return makeReceipt({ now: this.router.clock.now(), config: 1, ...o }, nonce, key)
    }

    /** The bytes of a response to this request. */
    frame(code: number, payload: Uint8Array = Buffer.alloc(0), maxAgeS?: number): Uint8Array {
        const options = maxAgeS === undefined ? [] : [uintOption(14, maxAgeS)]
        return encodeFrame(message(code, { token: this.token, payload, options }))
    }

    respond(code: number, payload?: Uint8Array, maxAgeS?: number): void {
        this.connection.stream.write(this.frame(code, payload, maxAgeS))
    }

    /** Answers as a working router does. */
    accept(): void {
        this.router.accepted(this)
        this.respond(Code.Changed, this.receipt())
    }
}

export class ScriptedConnection {
    readonly router: ScriptedRouter
    readonly stream: ByteStream
    /** Messages of the mote that are not envelopes. */
    readonly others: CoapMessage[] = []
    /** Bytes of the mote that are still accepted before the connection breaks. */
    bytesLeft = Infinity
    isClosed = false
    private readonly reader = new FrameReader(8192)

    constructor(router: ScriptedRouter, stream: ByteStream) {
        this.router = router
        this.stream = stream
        stream.listen({
            data: bytes => this.data(bytes),
            closed: () => (this.isClosed = true),
        })
        stream.write(encodeFrame(message(Code.CSM)))
    }

    private data(bytes: Uint8Array): void {
        const taken = bytes.subarray(0, this.bytesLeft)
        this.bytesLeft -= taken.length
        for (const m of this.reader.push(taken))
            if (m.code === Code.POST && pathOf(m.options) === "/vitals") this.router.posted(new Post(this, "vitals", m))
            else if (m.code === Code.POST && pathOf(m.options) === "/alarms")
                this.router.posted(new Post(this, "alarm", m))
            else this.other(m)
        if (this.bytesLeft === 0) this.stream.destroy()
    }

    private other(m: CoapMessage): void {
        if (codeClass(m.code) === 7 && m.code === Code.CSM) return
        this.others.push(m)
        if (m.code === Code.Ping && this.router.answersPings)
            this.stream.write(encodeFrame(message(Code.Pong, { token: m.token })))
        // RFC 8323 §5.5.
        if (m.code === Code.Release) this.stream.end()
    }
}

/**
 * The other end of a mote's connections, in virtual time, controlled by a test. It checks that no nonce is used for two
 * plaintexts, that every envelope is authentic, and that the mote continues only after a receipt.
 */
export class ScriptedRouter {
    readonly clock = new VirtualClock()
    readonly kid = randomBytes(8)
    readonly secret = randomBytes(32)
    readonly keys: MoteKeys = deriveKeys(this.secret, this.kid)
    readonly posts: Post[] = []
    readonly connections: ScriptedConnection[] = []
    /** Numbers of the readings whose envelopes were accepted, in order, each envelope once. */
    readonly readings: number[] = []
    /** Number of readings, counting those in summaries. */
    arrived = 0
    lost = 0
    delayMs = 10
    isReachable = true
    answersPings = true
    onConnection: (connection: ScriptedConnection) => void = () => {}
    onPost: (post: Post) => void = post => post.accept()
    private readonly byNonce = new Map<string, string>()
    private readonly acceptedNonces = new Set<string>()

    get settings() {
        return {
            kid: eui(this.kid),
            secret: this.secret.toString("hex"),
            router: "coap+tcp://router.invalid:5683",
        }
    }

    /** For `runProgram`. */
    connect = (): Promise<ByteStream> => {
        if (!this.isReachable) return Promise.reject(new Error("unreachable"))
        const [near, far] = pipe(this.clock, this.delayMs)
        const connection = new ScriptedConnection(this, far)
        this.connections.push(connection)
        this.onConnection(connection)
        return Promise.resolve(near)
    }

    posted(post: Post): void {
        const { envelope, hex, purpose } = post
        assert.ok(verifyEnvelope(envelope, purpose, this.keys.upMac), "the MAC is right")
        const nonce = Buffer.from(envelope.nonce).toString("hex")
        const known = this.byNonce.get(nonce)
        assert.ok(known === undefined || known === hex, `nonce ${nonce} is used twice`)
        const isNew = known === undefined
        const newest = this.posts.reduce(
            (seq, p) => (isSameStart(p.envelope, envelope) ? Math.max(seq, p.envelope.seq) : seq),
            -1,
        )
        if (isNew && newest >= 0) assert.equal(envelope.seq, newest + 1, "no number is left out")
        const previous = this.posts.findLast(p => p.purpose === purpose)
        if (isNew && previous && isSameStart(previous.envelope, envelope)) {
            const before = Buffer.from(previous.envelope.nonce).toString("hex")
            assert.ok(this.acceptedNonces.has(before), "nothing new without a receipt")
        }
        this.byNonce.set(nonce, hex)
        this.posts.push(post)
        this.onPost(post)
    }

    accepted(post: Post): void {
        const nonce = Buffer.from(post.envelope.nonce).toString("hex")
        if (this.acceptedNonces.has(nonce)) return
        this.acceptedNonces.add(nonce)
        if (post.purpose === "alarm") return
        this.arrived += readingsIn(post.measurements)
        for (const { name, value } of post.measurements)
            if (name === "hr") this.readings.push(Math.round((value - firstBpm) * perBpm))
            else if (name === "lost") this.lost += value
    }

    /** Number of transmissions of each envelope, in the order of first transmission. */
    sendings(): number[] {
        const counts = new Map<string, number>()
        for (const { hex } of this.posts) counts.set(hex, (counts.get(hex) ?? 0) + 1)
        return [...counts.values()]
    }
}

/** Summaries have a `count`, and a mean instead of a reading. */
function readingsIn(measurements: Measurement[]): number {
    const counts = measurements.filter(m => m.name === "count")
    const readings = measurements.filter(m => m.name === "hr" && !counts.some(count => count.time === m.time))
    return counts.reduce((sum, { value }) => sum + value, readings.length)
}

function isSameStart(a: Envelope, b: Envelope): boolean {
    return a.boot === b.boot && Buffer.from(a.salt).equals(b.salt)
}

/** 0, 1, … count − 1. */
export function upTo(count: number): number[] {
    return Array.from({ length: count }, (_, i) => i)
}
