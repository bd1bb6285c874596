import { Type } from "@sinclair/typebox"

export const Health = Type.Object({ status: Type.String({ description: "`ok`, or what does not work" }) })
export const Metrics = Type.String({ description: "Text format of Prometheus" })
