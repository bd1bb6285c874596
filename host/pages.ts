import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { buildSync } from "esbuild"
import type { FastifyContextConfig, FastifyInstance } from "fastify"

interface Page {
    type: string
    body: Buffer
    etag: string
}

/** The Content-Security-Policy of our pages: everything they load comes from their own origin. */
export const pagePolicy = {
    useDefaults: false,
    directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
    },
}

/** Pages by path. */
export type Pages = Map<string, Page>

/**
 * Bundles a web page in memory, without a build step, files on disk or inline scripts.
 * @param web a folder with index.html, favicon.svg, main.ts and the modules that main.ts imports; its path ends with a
 * slash
 */
export function bundlePages(web: string): Pages {
    const { outputFiles } = buildSync({
        entryPoints: { app: `${web}main.ts` },
        outdir: web,
        bundle: true,
        write: false,
        minify: true,
        format: "esm",
        target: "es2022",
        tsconfig: `${web}tsconfig.json`,
        logLevel: "silent",
    })
    const output = (name: string) => outputFiles.find(file => file.path.endsWith(name))!.contents
    return new Map([
        page("/", "text/html; charset=utf-8", readFileSync(`${web}index.html`)),
        page("/favicon.svg", "image/svg+xml", readFileSync(`${web}favicon.svg`)),
        page("/assets/app.js", "text/javascript; charset=utf-8", output("app.js")),
        page("/assets/app.css", "text/css; charset=utf-8", output("app.css")),
    ])
}

function page(path: string, type: string, bytes: Uint8Array): [string, Page] {
    const body = Buffer.from(bytes)
    const digest = createHash("sha256").update(body).digest("base64url")
    return [path, { type, body, etag: `"${digest}"` }]
}

export function pageRoutes(app: FastifyInstance, pages: Pages, config: FastifyContextConfig = {}): void {
    for (const [path, { type, body, etag }] of pages)
        app.get(path, { config }, async (request, reply) => {
            reply.headers({ etag, "cache-control": "no-cache" })
            if (request.headers["if-none-match"] === etag) return await reply.code(304).send()
            return await reply.type(type).send(body)
        })
}
