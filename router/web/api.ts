import type { Answered, Asked, RouterState } from "../browser/messages.ts"

/** Sends one request by CoAP. Rejects, with the reason, if the server does not send it or cannot be reached. */
export async function ask(asked: Asked): Promise<Answered> {
    const body = JSON.stringify(asked)
    const response = await fetch("/api/request", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
    })
    if (response.ok) return (await response.json()) as Answered
    throw new Error(await reasonIn(response))
}

/** The router wants a login first. */
export class NotSignedIn extends Error {}

async function post(path: string, body?: object): Promise<void> {
    const response = await fetch(path, {
        method: "POST",
        ...(body && { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    })
    if (!response.ok) throw new Error(await reasonIn(response))
}

export async function login(user: string, password: string): Promise<void> {
    await post("/api/login", { user, password })
}

export async function setPassword(link: string, password: string): Promise<void> {
    await post("/api/setup", { link, password })
}

export async function logout(): Promise<void> {
    await post("/api/logout")
}

export async function state(): Promise<RouterState> {
    const response = await fetch("/api/state", { signal: AbortSignal.timeout(5000) })
    if (response.status === 401) throw new NotSignedIn()
    if (!response.ok) throw new Error(`the router answered ${response.status}`)
    return (await response.json()) as RouterState
}

/** What happens to an observation. After `over` nothing follows. */
export interface ObservationListener {
    first(answered: Answered): void
    notified(answered: Answered): void
    over(why: string): void
}

/** Observes a resource (RFC 7641) until the returned function is called. */
export function observe(path: string, listener: ObservationListener): () => void {
    const source = new EventSource(`/api/observe?path=${encodeURIComponent(path)}`)
    const read = (event: Event) => JSON.parse((event as MessageEvent<string>).data) as Answered
    const end = (why: string) => {
        source.close()
        listener.over(why)
    }
    source.addEventListener("first", event => listener.first(read(event)))
    source.addEventListener("notification", event => listener.notified(read(event)))
    source.addEventListener("over", () => end("no further notifications will come"))
    // The page registers again only when its user says so: a mote has few places for observers.
    source.addEventListener("error", () => end("the router is not reached, or does not take this observation"))
    return () => end("stopped")
}

async function reasonIn(response: Response): Promise<string> {
    const text = await response.text()
    try {
        const { reason } = JSON.parse(text) as { reason?: unknown }
        return typeof reason === "string" ? reason : text
    } catch {
        return text.trim() || `the router answered ${response.status}`
    }
}
