import { spawn } from "node:child_process"

/** What systemd is told of a service with `Type=notify`, sd_notify(3). */
export interface Systemd {
    ready(): void
    stopping(): void
}

/** Told so often within the time that systemd waits. */
const timesWithin = 3

/**
 * Tells systemd what the service does, by its own program `systemd-notify`, because Node.js has no sockets for datagrams between
 * processes. Where systemd has not started this process it does nothing. The watchdog is fed from the event loop: a service that hangs is
 * started again. Needs `NotifyAccess=all`.
 */
export function systemd(env = process.env): Systemd {
    if (!env["NOTIFY_SOCKET"]) return { ready: () => {}, stopping: () => {} }
    const watchdogMs = Number(env["WATCHDOG_USEC"] ?? 0) / 1000
    const tell = (state: string) => {
        const child = spawn("systemd-notify", [state], { stdio: "ignore" })
        // A system without the program has no systemd that waits.
        child.once("error", () => {})
        child.unref()
    }
    let timer: NodeJS.Timeout | undefined
    return {
        ready: () => {
            tell("READY=1")
            if (watchdogMs > 0) timer = setInterval(() => tell("WATCHDOG=1"), watchdogMs / timesWithin).unref()
        },
        stopping: () => {
            clearInterval(timer)
            tell("STOPPING=1")
        },
    }
}
