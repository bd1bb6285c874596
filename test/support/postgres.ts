import { execFileSync, spawn, type ChildProcess, type StdioOptions } from "node:child_process"
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { createServer, type AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import pg from "pg"

/** Where Debian has the server's programs, the newest version first; then PATH. */
function folders(): string[] {
    const root = "/usr/lib/postgresql"
    const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
    return [...versions.map(version => join(root, version, "bin")), ...(process.env.PATH ?? "").split(delimiter)]
}

const bin = folders().find(folder => existsSync(join(folder, "initdb")))

/** Why tests with PostgreSQL are skipped; false where Debian's server is installed. */
export const noPostgres = bin === undefined && "PostgreSQL is not installed (apt-get install postgresql)"

/** The server refuses to run as root: then it runs as the user that Debian's package made. */
const owner = process.getuid?.() === 0 ? idsOf("postgres") : {}

function idsOf(user: string): { uid?: number; gid?: number } {
    if (bin === undefined) return {}
    const id = (flag: string) => Number(execFileSync("id", [flag, user], { encoding: "utf8" }))
    return { uid: id("-u"), gid: id("-g") }
}

export interface PostgresOptions {
    /** Lines of postgresql.conf. */
    settings?: readonly string[]
    /** A copy of another server, made by pg_basebackup, in place of a new database. */
    copyOf?: TestPostgres
}

/** A real server of PostgreSQL in a folder of its own, on a port of 127.0.0.1, where everybody is trusted. */
export class TestPostgres {
    readonly port: number
    readonly data: string
    private readonly folder: string
    private process: ChildProcess | undefined
    private databases = 0

    private constructor(folder: string, port: number) {
        this.folder = folder
        this.data = join(folder, "data")
        this.port = port
    }

    static async start({ settings = [], copyOf }: PostgresOptions = {}): Promise<TestPostgres> {
        const folder = mkdtempSync(join(tmpdir(), "postgres-"))
        if (owner.uid !== undefined) chownSync(folder, owner.uid, owner.gid!)
        const server = new TestPostgres(folder, await freePort())
        if (copyOf)
            server.run("pg_basebackup", ["-D", server.data, "-R", "-X", "stream", "-c", "fast", ...copyOf.asSuper])
        else
            server.run("initdb", [
                ...["-D", server.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
            ])
        await server.open(settings)
        return server
    }

    /** Starts it; resolves when it takes connections. */
    async open(settings: readonly string[] = []): Promise<void> {
        const all = ["max_connections=100", "listen_addresses=127.0.0.1", "shared_buffers=64MB", ...settings]
        const args = ["-D", this.data, "-p", String(this.port), "-k", this.folder, ...all.flatMap(line => ["-c", line])]
        const child = spawn(join(bin!, "postgres"), args, { ...owner, stdio: ["ignore", "ignore", "pipe"] })
        this.process = child
        let log = ""
        child.stderr!.on("data", (text: Buffer) => (log = (log + text.toString()).slice(-4000)))
        for (;;) {
            if (child.exitCode !== null) throw new Error(`PostgreSQL does not start: ${log}`)
            if (await this.answers()) return
            await new Promise(resolve => setTimeout(resolve, 20))
        }
    }

    /** `name` of a database, as a URL. */
    url(name: string, user = "postgres"): string {
        return `postgres://${user}@127.0.0.1:${this.port}/${name}`
    }

    /** A database without tables, or one like `template`; its URL. */
    async database(template = "template0"): Promise<string> {
        const name = `clinic_${++this.databases}`
        await this.sql(`CREATE DATABASE ${name} TEMPLATE ${template}`)
        return this.url(name)
    }

    /** As the superuser. */
    async sql<Row extends pg.QueryResultRow>(text: string, url = this.url("postgres")): Promise<Row[]> {
        const client = new pg.Client(url)
        await client.connect()
        try {
            return (await client.query<Row>(text)).rows
        } finally {
            await client.end()
        }
    }

    /** Runs one of PostgreSQL's programs. */
    run(program: string, args: readonly string[]): string {
        const stdio: StdioOptions = ["ignore", "pipe", "pipe"]
        return execFileSync(join(bin!, program), args, { ...owner, cwd: this.folder, encoding: "utf8", stdio })
    }

    /** Arguments of programs that connect to it. */
    get asSuper(): string[] {
        return ["-h", "127.0.0.1", "-p", String(this.port), "-U", "postgres"]
    }

    /** Makes a primary of a standby. */
    promote(): void {
        this.run("pg_ctl", ["promote", "-D", this.data, "-w"])
    }

    /** Ends it as a power cut does to its processes (`SIGQUIT`: it writes nothing more), or orderly. */
    async end(signal: "SIGQUIT" | "SIGINT" = "SIGINT"): Promise<void> {
        const child = this.process
        this.process = undefined
        if (!child || child.exitCode !== null) return
        const ended = new Promise(resolve => child.once("exit", resolve))
        child.kill(signal)
        await ended
    }

    async close(): Promise<void> {
        await this.end("SIGQUIT")
        rmSync(this.folder, { recursive: true, force: true })
    }

    private async answers(): Promise<boolean> {
        const client = new pg.Client(this.url("postgres"))
        client.on("error", () => {})
        try {
            await client.connect()
            return true
        } catch {
            return false
        } finally {
            await client.end().catch(() => {})
        }
    }
}

async function freePort(): Promise<number> {
    const server = createServer()
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    const { port } = server.address() as AddressInfo
    await new Promise(resolve => server.close(resolve))
    return port
}
