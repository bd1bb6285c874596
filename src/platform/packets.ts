import { Packet, Role } from "@devicescript/core"

/**
 * Calls `handler` in a fiber of its own with each report of a service. Must be called once for a role. It replaces a function of
 * DeviceScript's that distributes packets among subscribers; those need 0.7 KB of the image.
 */
export function onReport(role: Role, handler: (packet: Packet) => Promise<void>): void {
    role._onPacket = async packet => {
        if (packet && packet.isReport) await handler(packet)
    }
}
