import { fileURLToPath } from "node:url"
import type { FastifyInstance } from "fastify"
import { bundlePages, pageRoutes, type Pages } from "../../host/pages.ts"

export type { Pages } from "../../host/pages.ts"

const web = fileURLToPath(new URL("../web/", import.meta.url))

export function clinicPages(): Pages {
    return bundlePages(web)
}

export function clinicPageRoutes(app: FastifyInstance, pages: Pages): void {
    pageRoutes(app, pages, { access: "public" })
}
