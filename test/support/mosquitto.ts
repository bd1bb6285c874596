// mosquitto, the MQTT broker (Debian's package of that name), for tests.
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process"
import { once } from "node:events"
import { chmodSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { serverCertificate } from "../../host/server-certificate.ts"
import { freePort } from "../e2e/ports.ts"
import { temporaryFolder } from "./folder.ts"
import { until } from "./until.ts"

// Debian has it where only root looks.
const path = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`
const isThere = spawnSync("mosquitto", ["-h"], { env: { PATH: path } }).error === undefined

/** For `test`: says loudly why it is skipped. */
export const needsMosquitto = { skip: isThere ? false : "needs mosquitto" }

export interface User {
    name: string
    password: string
    /** Lines of an access control list, such as `topic read vm/+/vitals`. */
    rights: string[]
}

/** A broker that lets in its users only, killed and started again on the same port as a test likes. */
export class Mosquitto {
    readonly port: number
    /** The file of the authority that signed its certificate; undefined without TLS. */
    readonly ca: string | undefined
    private readonly file: string
    private child: ChildProcess | undefined

    private constructor(file: string, port: number, ca: string | undefined) {
        this.file = file
        this.ca = ca
        this.port = port
    }

    /** @param users none: everybody may do everything */
    static async start(t: TestContext, ...users: User[]): Promise<Mosquitto> {
        return await Mosquitto.make(t, users, false)
    }

    /** One that speaks TLS only, with a certificate for `localhost`. */
    static async startTls(t: TestContext, ...users: User[]): Promise<Mosquitto> {
        return await Mosquitto.make(t, users, true)
    }

    private static async make(t: TestContext, users: User[], isTls: boolean): Promise<Mosquitto> {
        const folder = temporaryFolder(t)
        chmodSync(folder, 0o755) // started by root it becomes another user
        const port = await freePort()
        const lines = [`listener ${port} 127.0.0.1`, "persistence false"]
        if (users.length === 0) lines.push("allow_anonymous true")
        else {
            const acl = users.map(({ name, rights }) => [`user ${name}`, ...rights].join("\n"))
            const passwords = users.map(({ name, password }) => `${name}:${password}`)
            writeFileSync(join(folder, "acl"), acl.join("\n\n") + "\n", { mode: 0o644 })
            writeFileSync(join(folder, "passwords"), passwords.join("\n") + "\n", { mode: 0o644 })
            execFileSync("mosquitto_passwd", ["-U", join(folder, "passwords")], { env: { PATH: path } })
            chmodSync(join(folder, "passwords"), 0o644)
            lines.push("allow_anonymous false", `password_file ${folder}/passwords`, `acl_file ${folder}/acl`)
        }
        if (isTls) {
            const { cert, key } = await serverCertificate(folder, "localhost", Date.now())
            writeFileSync(join(folder, "cert.pem"), cert, { mode: 0o644 })
            writeFileSync(join(folder, "key.pem"), key, { mode: 0o644 })
            lines.splice(1, 0, `certfile ${folder}/cert.pem`, `keyfile ${folder}/key.pem`)
        }
        const file = join(folder, "mosquitto.conf")
        writeFileSync(file, lines.join("\n") + "\n", { mode: 0o644 })
        const broker = new Mosquitto(file, port, isTls ? join(folder, "ca.pem") : undefined)
        t.after(() => broker.kill())
        await broker.start()
        return broker
    }

    async start(): Promise<void> {
        this.child = spawn("mosquitto", ["-c", this.file], { stdio: "ignore", env: { PATH: path } })
        await until(() => isOpen(this.port), "mosquitto listens")
    }

    async kill(): Promise<void> {
        const { child } = this
        this.child = undefined
        if (!child || child.exitCode !== null) return
        child.kill("SIGKILL")
        await once(child, "exit")
    }

    /** Its connections stay, and nobody answers. */
    freeze(): void {
        this.child?.kill("SIGSTOP")
    }

    thaw(): void {
        this.child?.kill("SIGCONT")
    }
}

function isOpen(port: number): Promise<boolean> {
    return new Promise(resolve => {
        const socket = connect(port, "127.0.0.1", () => {
            socket.destroy()
            resolve(true)
        })
        socket.once("error", () => resolve(false))
    })
}
