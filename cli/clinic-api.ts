import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { Static, TSchema } from "@sinclair/typebox"
import { Value } from "@sinclair/typebox/value"
import type { Command } from "commander"
import { Agent, request } from "undici"
import { problemText, toProblem } from "../wire/tables/problems.ts"
import { fileError, reasonOf, UserError } from "../host/errors.ts"
import { localName } from "../clinic/index.ts"
import { readCredentials } from "./credentials.ts"
import { httpsUrl, option } from "./options.ts"

const timeoutMs = 20_000
const maxAnswerBytes = 4 * 1024 * 1024
const maxReasonChars = 300

/**
 * The source of the token without a credentials file. It is not an argument, because other processes can see arguments.
 */
const tokenVariable = "VITALMOTE_DOCTOR_TOKEN"

/** Options of a command that uses the clinic; see `clinicOptions`. */
export interface ClinicOptions {
    data: string
    clinic?: string
    ca?: string
}

/** The clinic's HTTP interface with a doctor's rights. */
export interface ClinicApi {
    /** Its URL without a final slash. */
    readonly url: string
    /**
     * Sends a request and checks the response against `schema`. Additional fields are ignored.
     * @throws UserError if the clinic cannot be reached, refuses, or sends a different response
     */
    call<T extends TSchema>(
        method: "GET" | "POST" | "PUT" | "DELETE",
        path: string,
        schema: T,
        body?: object,
    ): Promise<Static<T>>
}

/** Adds `--data`, `--clinic` and `--ca`. The token is never an argument. */
export function clinicOptions(command: Command): Command {
    return command
        .addOption(option("--data <dir>", "data folder; its credentials.json is used").default(".vitalmote"))
        .addOption(
            option("--clinic <url>", `another clinic; needs a doctor's token in ${tokenVariable}`).argParser(httpsUrl),
        )
        .addOption(option("--ca <file>", "certificate authority of that clinic, PEM"))
}

/**
 * Runs `work` with the clinic's interface.
 * @throws UserError, also if the clinic's address or the token is missing
 */
export async function withClinic<T>(options: ClinicOptions, work: (api: ClinicApi) => Promise<T>): Promise<T> {
    const { clinic, ca, token, isOwn } = access(options)
    return await withAccess({ url: clinic.replace(/\/+$/, ""), ca, token, isOwn }, work)
}

/** The same with a token that one has already. `isOwn`: `ca` is the authority that the clinic has made. */
export async function withAccess<T>(
    { url, ca, token, isOwn = false }: { url: string; ca: string | undefined; token: string; isOwn?: boolean },
    work: (api: ClinicApi) => Promise<T>,
): Promise<T> {
    const agent = new Agent({
        connect: {
            ...{ ca: ca === undefined ? undefined : readText(ca), timeout: timeoutMs },
            // A clinic with the hospital's certificate still has its own for who asks for this name.
            ...(isOwn && { servername: localName }),
        },
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        maxResponseSize: maxAnswerBytes,
    })
    try {
        return await work({ url, call: caller(url, token, agent) })
    } finally {
        await agent.destroy()
    }
}

function caller(url: string, token: string, dispatcher: Agent): ClinicApi["call"] {
    return async (method, path, schema, body) => {
        const answer = await request(url + path, {
            method,
            dispatcher,
            headers: {
                authorization: `Bearer ${token}`,
                accept: "application/json",
                ...(body && { "content-type": "application/json" }),
            },
            body: body && JSON.stringify(body),
        })
            .then(async ({ statusCode, body }) => ({ statusCode, text: await body.text() }))
            .catch((error: unknown) => {
                throw new UserError(`no answer from ${url}: ${reasonOf(error)}`)
            })
        const value = parsed(answer.text)
        if (answer.statusCode >= 300) throw new UserError(`the clinic refuses: ${refusal(answer.statusCode, value)}`)
        if (!Value.Check(schema, value)) throw new UserError(`${url} answers ${method} ${path} with something else`)
        return value
    }
}

function access({ data, clinic, ca }: ClinicOptions): {
    clinic: string
    ca: string | undefined
    token: string
    isOwn: boolean
} {
    const token = process.env[tokenVariable]
    if (clinic !== undefined) {
        if (!token) throw new UserError(`--clinic: a doctor's token is needed in ${tokenVariable}`, 2)
        return { clinic, ca, token, isOwn: false }
    }
    if (ca !== undefined) throw new UserError("--ca goes with --clinic", 2)
    const file = join(data, "credentials.json")
    const credentials = readCredentials(file)
    if (!credentials) throw new UserError(`no ${file}: start the clinic first, or give --data or --clinic`)
    return { ...credentials, token: credentials.doctor.token, isOwn: true }
}

/** Parses JSON. Returns undefined for anything else, such as the empty body of a 204 response. */
function parsed(text: string): unknown {
    try {
        return JSON.parse(text)
    } catch {
        return undefined
    }
}

function refusal(status: number, answer: unknown): string {
    const problem = toProblem(answer)
    if (!problem) return `status ${status}`
    return problemText(problem)
        .slice(0, maxReasonChars)
        .replace(/\p{Cc}/gu, " ")
}

function readText(file: string): string {
    try {
        return readFileSync(file, "utf8")
    } catch (error) {
        throw fileError(file, error)
    }
}
