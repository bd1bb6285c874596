import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { Agent, request } from "undici"
import {
    LocalAccess,
    startClinic,
    type Credentials,
    type RunningClinic,
    type StartOptions,
} from "../../clinic/index.ts"
import type { Clock } from "../../host/clock.ts"
import { realClock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import { decodeResults, encodeBatch, type Delivery, type DeliveryResult } from "../../wire/batch.ts"
import { Description, type OpenApi } from "./description.ts"
import { TestMote } from "../support/mote.ts"

export interface Answer {
    status: number
    headers: Record<string, string | string[] | undefined>
    bytes: Buffer
    /** The body as JSON, or undefined. */
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    json: any
}

export interface CallOptions {
    token?: string
    cookie?: string
    headers?: Record<string, string>
    json?: unknown
    body?: string | Uint8Array
    /** The answer is not compared with its description: for who asks so much that other tests do it. */
    isUnchecked?: boolean
}

/** The same for every clinic. */
let description: Description | undefined

/** A clinic on a data folder of its own, asked over real HTTPS with its certificate verified. Its answers must be as described. */
export class Service {
    readonly running: RunningClinic
    readonly data: string
    readonly credentials: Credentials
    private readonly agent: Agent

    private constructor(running: RunningClinic, data: string, credentials: Credentials) {
        this.running = running
        this.data = data
        this.credentials = credentials
        this.agent = new Agent({ connect: { ca: readFileSync(running.caFile) } })
    }

    static async start(clock: Clock = realClock, o: Partial<StartOptions> = {}): Promise<Service> {
        const data = mkdtempSync(join(tmpdir(), "clinic-"))
        const running = await startClinic({ data, port: 0, clock, log: silentLog, ...o })
        const credentials = await running.clinic.setUp()
        const service = new Service(running, data, credentials!)
        if (!description) {
            const { json } = await service.get("/api/openapi.json")
            description = new Description(json as OpenApi)
        }
        return service
    }

    /** What the clinic says about its interface. */
    get description(): Description {
        return description!
    }

    get doctor(): string {
        return this.credentials.doctor.token
    }

    /** Of who works at the machine itself. */
    get administrator(): string {
        return new LocalAccess(this.data).read()!.token
    }

    get router(): string {
        return this.credentials.router.token
    }

    async call(method: string, path: string, o: CallOptions = {}): Promise<Answer> {
        const response = await request(this.running.url + path, {
            method: method as "GET",
            dispatcher: this.agent,
            headers: {
                ...(o.token !== undefined && { authorization: `Bearer ${o.token}` }),
                ...(o.cookie !== undefined && { cookie: o.cookie }),
                ...(o.json !== undefined && { "content-type": "application/json" }),
                ...o.headers,
            },
            ...(o.json !== undefined && { body: JSON.stringify(o.json) }),
            ...(o.body !== undefined && { body: o.body }),
        })
        const sent = Buffer.from(await response.body.arrayBuffer())
        const bytes = response.headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent
        const type = response.headers["content-type"]
        if (method !== "HEAD" && !o.isUnchecked)
            description?.check(method, path, { status: response.statusCode, type: type && String(type), bytes })
        return {
            status: response.statusCode,
            headers: response.headers,
            bytes,
            json: parse(bytes),
        }
    }

    /** As the doctor. */
    async get(path: string): Promise<Answer> {
        return await this.call("GET", path, { token: this.doctor })
    }

    /** The session cookie of a fresh login. */
    async login(user: string, password: string): Promise<string> {
        const { headers } = await this.call("POST", "/api/login", { json: { user, password } })
        return String(headers["set-cookie"]).split(";")[0]!
    }

    /** A new patient with a mote, by the API. */
    async admit(given = "Ada", family = "Beck"): Promise<{ patient: number; mote: TestMote }> {
        const { json: patient } = await this.call("POST", "/api/patients", {
            ...{ token: this.doctor, json: { given, family, confirmed: ["patient-known"] } },
        })
        const { json: mote } = await this.call("POST", "/api/motes", {
            ...{ token: this.doctor, json: { patient: patient.id } },
        })
        const [kid, secret] = [mote.kid, mote.secret].map(hex => Buffer.from(hex as string, "hex"))
        const sealer = new TestMote({ kid: kid!, secret: secret! })
        return { patient: patient.id as number, mote: sealer }
    }

    async ingest(batch: Delivery[]): Promise<DeliveryResult[]> {
        const answer = await this.call("POST", "/ingest", {
            token: this.router,
            headers: { "content-type": "application/cbor" },
            body: encodeBatch(batch),
        })
        return decodeResults(answer.bytes)
    }

    async close(): Promise<void> {
        await this.agent.close()
        await this.running.close()
        rmSync(this.data, { recursive: true })
    }
}

function parse(bytes: Buffer): unknown {
    try {
        return JSON.parse(bytes.toString())
    } catch {
        return undefined
    }
}
