import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { readPcap } from "../../../sim/capture/pcap.ts"
import { CaptureWriter } from "../../../sim/capture/writer.ts"
import { wiresharkPreferences, writeWiresharkProfile } from "../../../sim/capture/wireshark.ts"
import { parseAddress } from "../../../sim/net/ipv6.ts"
import { storing } from "../../../sim/net/rpl/profile.ts"
import type { AirObserver } from "../../../sim/radio/air.ts"
import { virtualStartMs } from "../../../sim/time/clock.ts"
import { grid, Network } from "../net/network.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { hasTshark } from "../../support/tshark.ts"

const contexts = [parseAddress("aaaa::").subarray(0, 8)]

test("a profile for Wireshark names the prefixes as contexts", () => {
    assert.match(wiresharkPreferences(contexts), /^6lowpan\.context0: aaaa::\/64$/m)
    const two = [parseAddress("fd00:1:2:3::").subarray(0, 8), parseAddress("2001:db8::").subarray(0, 8)]
    assert.match(wiresharkPreferences(two), /^6lowpan\.context0: fd00:1:2:3::\/64\n6lowpan\.context1: 2001:db8::\/64$/m)
})

test("with the profile Wireshark finds every checksum right, without it not", async t => {
    if (!hasTshark) return t.skip("needs tshark")
    const folder = temporaryFolder(t)
    const file = join(folder, "ping.pcap")
    const capture = new CaptureWriter(file)
    const observer: AirObserver = { sent: (from, frame, ms) => capture.sent(from, frame, virtualStartMs + ms) }
    const network = new Network({ profile: storing, positions: grid(3, 1), observer })
    await network.run(30)
    assert.equal((await network.ping(3)).replies.length, 1)
    capture.close()
    writeWiresharkProfile(join(folder, "profiles", "vitalmote"), contexts)
    /** Frames with that state of the ICMPv6 checksum, as `tshark` of someone with this configuration folder sees them. */
    const checksums = (status: number, profile: string[]) => {
        const {
            stdout,
            stderr,
            status: code,
        } = spawnSync(
            "tshark",
            [
                "-n",
                ...profile,
                "-r",
                file,
                "-Y",
                `icmpv6.checksum.status==${status}`,
                "-T",
                "fields",
                "-e",
                "frame.number",
            ],
            { encoding: "utf8", env: { ...process.env, WIRESHARK_CONFIG_DIR: folder } },
        )
        assert.equal(code, 0, stderr)
        return stdout.split("\n").filter(Boolean).length
    }
    const [bad, good] = [0, 1]
    assert.ok(checksums(bad, []) > 0)
    assert.equal(checksums(bad, ["-C", "vitalmote"]), 0)
    assert.ok(checksums(good, ["-C", "vitalmote"]) > 10)
    assert.ok(readPcap(readFileSync(file)).frames.length > 20)
})
