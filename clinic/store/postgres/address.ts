import { readFileSync } from "node:fs"
import { isIP } from "node:net"
import type pg from "pg"
import { fileError, UserError } from "../../../host/errors.ts"

/** How to get to one of the servers of a database. */
export type Server = Pick<pg.ClientConfig, "host" | "port" | "user" | "password" | "database" | "ssl">

const form = "postgres://[USER[:PASSWORD]@]HOST[:PORT][,HOST…]/DATABASE"
const parameters = ["host", "sslmode", "sslrootcert", "sslcert", "sslkey"]
const defaultPort = 5432

/** Whether a database is PostgreSQL's, by its URL. */
export function isPostgres(url: string): boolean {
    return /^postgres(ql)?:\/\//.test(url)
}

/** Whether the URL contains a password, which nobody may see. */
export function hasPassword(url: string): boolean {
    return /^\w+:\/\/[^@/]*:[^@/]*@/.test(url)
}

/**
 * The servers that a URL names (libpq's form, with several hosts: the one that can be written to is used). A server at another
 * machine is reached by TLS with a verified certificate, unless `sslmode=disable` says otherwise. Without a password those of libpq
 * count: PGPASSWORD, or ~/.pgpass. Throws UserError, which never shows the password.
 */
export function parseAddress(url: string): Server[] {
    const [, login, hosts, name, query] =
        /^postgres(?:ql)?:\/\/(?:([^@/?]*)@)?([^@/?]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url) ?? wrong()
    const asked = new URLSearchParams(query)
    for (const key of asked.keys())
        if (!parameters.includes(key))
            throw new UserError(`--database: "${key}" is not known; known are ${parameters.join(", ")}`, 2)
    const [user, password] = login?.split(/:(.*)/s).map(decodeURIComponent) ?? []
    const database = name ? decodeURIComponent(name) : wrong()
    const socket = asked.get("host")
    const places = socket?.startsWith("/") && !hosts ? [socket] : (hosts || "localhost").split(",")
    return places.map(place => {
        const [, host, port] = place.startsWith("/") ? [place, place] : hostAndPort(place)
        return {
            ...{ host, port: port ? Number(port) : Number(process.env.PGPORT ?? defaultPort), database },
            ...(user && { user }),
            ...(password && { password }),
            ssl: encryption(host!, asked),
        }
    })
}

function hostAndPort(place: string): string[] {
    const [all, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(place) ?? wrong()
    return [all!, bracketed ?? decodeURIComponent(plain!), port!]
}

function encryption(host: string, asked: URLSearchParams): pg.ClientConfig["ssl"] {
    const isHere = host.startsWith("/") || host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host)
    const mode = asked.get("sslmode") ?? (isHere && !asked.has("sslrootcert") ? "disable" : "verify-full")
    if (mode === "disable") return false
    if (mode !== "verify-full" && mode !== "verify-ca")
        throw new UserError(`--database: sslmode is verify-full, verify-ca or disable, not "${mode}"`, 2)
    const [ca, cert, key] = ["sslrootcert", "sslcert", "sslkey"].map(name => pem(asked.get(name)))
    return {
        ...{ rejectUnauthorized: true, ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) },
        ...(mode === "verify-ca" && { checkServerIdentity: () => undefined }),
        ...(isIP(host) === 0 && { servername: host }),
    }
}

function pem(file: string | null): string | undefined {
    if (file === null) return undefined
    try {
        return readFileSync(file, "utf8")
    } catch (error) {
        throw fileError(file, error)
    }
}

function wrong(): never {
    throw new UserError(`--database: ${form} expected`, 2)
}
