import { networkOf } from "../host/network-of.ts"

/**
 * Returns the part of a peer's address that identifies its owner: `192.0.2.7` for `192.0.2.7:49152`, and the /64 prefix
 * `2001:db8:0:1` for `2001:db8:0:1::7:49152`. The name of a peer in the simulator is returned whole.
 */
export function addressOf(peer: string): string {
    const colon = peer.lastIndexOf(":")
    return networkOf(colon < 0 ? peer : peer.slice(0, colon))
}
