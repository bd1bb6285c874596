import { realClock } from "../../host/clock.ts"
import { UserError } from "../../host/errors.ts"
import { MqttConnection } from "../../host/mqtt/client.ts"
import type { Version } from "../../host/mqtt/packet.ts"
import type { PublicationPlan } from "./plan.ts"

/** Logs in to the broker once and leaves. Throws UserError if that does not work. Nothing is published. */
export async function checkBroker({ access }: PublicationPlan): Promise<void> {
    for (const version of [5, 4] as const) {
        const result = await login(access, version)
        if (result === "ok") return
        if (result.isOtherVersion && version === 5) continue
        throw new UserError(`--publish: ${access.url}: ${result.reason}`)
    }
}

async function login(
    access: PublicationPlan["access"],
    version: Version,
): Promise<"ok" | { reason: string; isOtherVersion: boolean }> {
    const { user, password } = access
    try {
        const stream = await access.connect()
        return await new Promise(resolve => {
            const connection = new MqttConnection({
                ...{ clock: realClock, stream, maxPacketBytes: 64 * 1024 },
                hello: {
                    ...{ version, clientId: `vitalmote-check-${process.pid}`, clean: true },
                    ...(user !== undefined && { user }),
                    ...(password !== undefined && { password: Buffer.from(password) }),
                },
                owner: {
                    connected: () => {
                        resolve("ok")
                        connection.end()
                    },
                    received: () => {},
                    closed: (reason, isOtherVersion) => resolve({ reason, isOtherVersion }),
                },
            })
        })
    } catch (error) {
        return { reason: (error as Error).message, isOtherVersion: false }
    }
}
