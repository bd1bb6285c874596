import { readFileSync } from "node:fs"
import type { IncomingMessage } from "node:http"
import { request } from "node:https"
import type { Service } from "./service.ts"

export interface Event {
    event: string
    id?: string
    data: { id?: number; value?: number; patient?: number; open?: number[] }
}

const limitMs = 20_000

/** Reads Server-Sent Events off a real connection. */
export class EventReader {
    private readonly events: Event[] = []
    private waiting: (() => void) | undefined
    private text = ""
    readonly response: IncomingMessage
    private readonly names: string[]
    isClosed = false
    private onEvent: (name: string, data: unknown) => void = () => {}

    private constructor(response: IncomingMessage, names: string[]) {
        this.response = response
        this.names = names
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => this.read(chunk))
        response.on("error", () => {}) // "close" follows
        response.on("close", () => {
            this.isClosed = true
            this.waiting?.()
        })
    }

    static async open(
        service: Service,
        path: string,
        headers: Record<string, string>,
        names = ["observation", "reset"],
    ): Promise<EventReader> {
        const ca = readFileSync(service.running.caFile)
        const response = await new Promise<IncomingMessage>((resolve, reject) =>
            request(service.running.url + path, { ca, headers }, resolve)
                .on("error", reject)
                .end(),
        )
        const reader = new EventReader(response, names)
        reader.onEvent = (name, data) => service.description.checkEvent(name, data)
        return reader
    }

    /** The next events of the wanted names; fewer where the stream ends. Throws where they do not come. */
    async next(count: number): Promise<Event[]> {
        while (this.events.length < count && !this.isClosed) await this.more()
        return this.events.splice(0, count)
    }

    close(): void {
        this.response.destroy()
    }

    private async more(): Promise<void> {
        const { events } = this
        await new Promise<void>((resolve, reject) => {
            const late = () => reject(new Error(`only ${events.length} events came`))
            const timer = setTimeout(late, limitMs)
            this.waiting = () => (clearTimeout(timer), resolve())
        })
    }

    private read(chunk: string): void {
        this.text += chunk
        for (let end; (end = this.text.indexOf("\n\n")) >= 0; this.text = this.text.slice(end + 2)) {
            const fields = this.text.slice(0, end).split("\n")
            const field = (name: string) => fields.find(f => f.startsWith(`${name}: `))?.slice(name.length + 2)
            const [event, id, data] = [field("event")!, field("id"), JSON.parse(field("data")!)]
            this.onEvent(event, data)
            if (this.names.includes(event)) this.events.push({ event, data, ...(id && { id }) })
        }
        this.waiting?.()
    }
}
