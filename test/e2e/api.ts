import { readFileSync } from "node:fs"
import type { TestContext } from "node:test"
import { Agent, fetch } from "undici"
import type { Credentials } from "../../cli/credentials.ts"

/** Asks the clinic as the doctor does, over HTTPS with its own authority; throws on any answer but 2xx. */
export function apiClient(t: TestContext, { clinic, ca, doctor }: Credentials) {
    const dispatcher = new Agent({ connect: { ca: readFileSync(ca, "utf8") } })
    t.after(() => dispatcher.close())
    return async <T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: object): Promise<T> => {
        const response = await fetch(clinic + path, {
            method,
            dispatcher,
            headers: {
                authorization: `Bearer ${doctor.token}`,
                ...(body && { "content-type": "application/json" }),
            },
            ...(body && { body: JSON.stringify(body) }),
        })
        if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
        return (await response.json()) as T
    }
}
