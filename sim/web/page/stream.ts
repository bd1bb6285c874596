import type { Hello, Tick } from "../messages.ts"
import type { Model } from "./model.ts"

const retryMs = 1000

/** Receives the server's messages, and reconnects when the connection is lost. */
export function listen(model: Model, connection: (isOpen: boolean, missed: number) => void): void {
    let missed = 0
    const source = new EventSource("/api/live")
    const on = <T>(name: string, use: (data: T) => void) =>
        source.addEventListener(name, event => use(JSON.parse(event.data as string) as T))
    on<Hello>("hello", hello => {
        model.begin(hello)
        connection(true, missed)
    })
    on<Tick>("tick", tick => model.tick(tick))
    on<{ ticks: number }>("missed", ({ ticks }) => connection(true, (missed += ticks)))
    source.addEventListener("error", () => {
        connection(false, missed)
        if (source.readyState !== EventSource.CLOSED) return
        setTimeout(() => listen(model, connection), retryMs)
    })
}
