import { accessSync, constants, existsSync, statSync } from "node:fs"
import { createServer } from "node:net"
import { dirname, resolve } from "node:path"
import { reasonOf, UserError } from "./errors.ts"

/** Returns what the work complains of, if it does. Other errors than UserError are thrown on. */
export async function complaints(work: () => unknown): Promise<string[]> {
    try {
        await work()
        return []
    } catch (error) {
        if (error instanceof UserError) return [error.message]
        throw error
    }
}

/** Throws UserError unless files can be written into `folder`, or it can be made. Nothing is written. */
export function checkFolder(folder: string): void {
    let path = resolve(folder)
    while (!existsSync(path) && dirname(path) !== path) path = dirname(path)
    if (!statSync(path).isDirectory()) throw new UserError(`${path} is a file where a folder should be: move it away`)
    try {
        accessSync(path, constants.W_OK | constants.X_OK)
    } catch (error) {
        throw new UserError(`cannot write into ${path}: ${reasonOf(error)}; give it to the user that runs the service`)
    }
}

/** Throws UserError if nobody could listen there. Port 0 is any. */
export async function checkPort(host: string, port: number, flag: string): Promise<void> {
    const server = createServer()
    await new Promise<void>((done, failed) => {
        server.once("error", error =>
            failed(new UserError(`${flag}: cannot listen on ${host} port ${port}: ${reasonOf(error)}`)),
        )
        server.listen({ host, port }, () => server.close(() => done()))
    })
}
