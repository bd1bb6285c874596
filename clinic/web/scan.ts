import { h, setText } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"

/** Of the Shape Detection API, which some browsers have. */
interface Detector {
    detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>
}
type DetectorClass = new (o: { formats: string[] }) => Detector

const everyMs = 200

function detectorClass(): DetectorClass | undefined {
    return (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector
}

/** Whether this browser reads QR codes, and may have a camera. */
export function canScan(): boolean {
    // Only a page that was loaded securely has it.
    const { mediaDevices } = navigator as { mediaDevices?: MediaDevices }
    return detectorClass() !== undefined && mediaDevices !== undefined
}

/** Shows what the camera sees until it sees a QR code that `read` understands; undefined where the user ends it. */
export async function scan<T>(read: (text: string) => T | undefined): Promise<T | undefined> {
    const video = h("video", { playsinline: "", "aria-label": t.devices.camera })
    video.muted = true
    const state = h("p", { role: "status" }, t.devices.aim)
    const end = h("button", { type: "button", class: "quiet" }, t.admin.cancel)
    const dialog = h("dialog", { class: "scan", "aria-label": t.devices.scan }, video, state, end)
    end.addEventListener("click", () => dialog.close())
    document.body.append(dialog)
    dialog.showModal()
    let stream: MediaStream | undefined
    try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } })
        video.srcObject = stream
        await video.play()
        const detector = new (detectorClass()!)({ formats: ["qr_code"] })
        while (dialog.open) {
            for (const { rawValue } of await detector.detect(video)) {
                const found = read(rawValue)
                if (found !== undefined) return found
                setText(state, t.devices.otherCode)
            }
            await new Promise(resolve => setTimeout(resolve, everyMs))
        }
        return undefined
    } catch (error) {
        if (!dialog.open) return undefined
        throw new Error(t.devices.noCamera, { cause: error })
    } finally {
        stream?.getTracks().forEach(track => track.stop())
        dialog.remove()
    }
}
