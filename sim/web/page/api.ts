const timeoutMs = 20_000

let reportFailure: (message: string) => void = () => {}

/** @param report called with the reason of each failed command, and with an empty text after success */
export function onFailure(report: (message: string) => void): void {
    reportFailure = report
}

/** Sends a command; a failure is shown to the user. */
export async function order(path: string, body: object = {}): Promise<void> {
    try {
        await call(path, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify(body),
        })
        reportFailure("")
    } catch (error) {
        reportFailure((error as Error).message)
    }
}

export async function ask<T>(path: string): Promise<T> {
    return (await call(path, {})) as T
}

async function call(path: string, init: RequestInit): Promise<unknown> {
    const response = await fetch(path, { ...init, signal: AbortSignal.timeout(timeoutMs) })
    const answer = (await response.json().catch(() => ({}))) as { error?: string }
    if (!response.ok) throw new Error(answer.error ?? `the simulator responded with ${response.status}`)
    return answer
}
