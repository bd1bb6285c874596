import type { Notice } from "../../../clinic/delivery/notice.ts"

export const notice: Notice = {
    id: "5f0c7a0e-1",
    phase: "start",
    level: 0,
    at: Date.UTC(2026, 10, 30, 3, 0, 1),
    timeZone: "Europe/Berlin",
    subject: { about: "mote", name: null },
    alarm: {
        id: 12,
        kind: "hr-high",
        label: "Heart rate high",
        priority: "high",
        isTechnical: false,
        raisedAt: Date.UTC(2026, 10, 30, 3),
        unit: "beat/min",
        value: 131,
        worst: 190,
        latest: 158,
        by: null,
        isOver: false,
    },
    patient: { id: 1, name: "Beck, Ada", identifier: "MRN|7", bed: "7", ward: "A & E" },
    mote: "02004cfffe4f4f50",
    url: "https://clinic.example/#/patient/1",
}

export const patience = () => AbortSignal.timeout(20_000)
