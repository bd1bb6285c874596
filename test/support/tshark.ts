import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"

const options = [
    ...["6lowpan.context0:aaaa::/64", "udp.check_checksum:TRUE", "tcp.check_checksum:TRUE"],
    ...["ipv6.perform_strict_rpl_srh_rfc_checking:TRUE", "wpan.fcs_format:ITU-T CRC-16"],
].flatMap(option => ["-o", option])

/**
 * What is wrong with a frame, if anything is. The CSM of CoAP over TCP (code 7.01, 225) is called malformed by the
 * dissector of Wireshark 4.0, which takes its options for those of requests; behind a lost segment it does not know where a
 * message begins, and the bytes of a fast retransmission are old data to it.
 */
const suspicious = `(_ws.malformed || _ws.short || _ws.expert.severity==8388608 || wpan.fcs_ok==0 ||
    udp.checksum.status==0 || tcp.checksum.status==0 || icmpv6.checksum.status==0 ||
    6lowpan.fragment.error || 6lowpan.fragment.too_long_fragment ||
    6lowpan.fragment.overlap.conflicts || 6lowpan.bad_ipv6_header_length ||
    6lowpan.bad_ext_header_length || (wpan.frame_type==1 && !6lowpan)) && !(coap.code==225) && !tcp.analysis.lost_segment &&
    !tcp.analysis.fast_retransmission`.replaceAll(/\s+/g, " ")

/** The fields of the frames that a filter lets through. */
export function dissect(file: string, filter: string, fields: string[]): string[][] {
    const { stdout, stderr, status } = spawnSync(
        "tshark",
        [
            ...["-n", "-2", "-r", file, ...options, "-Y", filter, "-T", "fields"],
            ...fields.flatMap(field => ["-e", field]),
        ],
        { encoding: "utf8", maxBuffer: 1 << 28 },
    )
    assert.equal(status, 0, stderr)
    const lines = stdout.split("\n").filter(line => line !== "")
    return lines.map(line => line.split("\t"))
}

export const hasTshark = spawnSync("tshark", ["--version"]).status === 0

/**
 * The frames of a capture in which Wireshark finds something wrong, and what.
 * @param strangers IPv6 addresses of nodes whose nonsense is not ours
 */
export function suspiciousFrames(file: string, strangers: string[] = []): string[][] {
    // Among a stranger's retransmissions the dissector also loses the message boundaries of what it is answered.
    const others = strangers.flatMap(address => [`!(ipv6.src==${address})`, `!(coap && ipv6.dst==${address})`])
    const filter = [suspicious, ...others]
    return dissect(file, filter.join(" && "), ["frame.number", "frame.protocols", "_ws.expert.message"])
}
