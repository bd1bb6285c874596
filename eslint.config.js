import js from "@eslint/js"
import tseslint from "typescript-eslint"

export default tseslint.config(
    { ignores: ["node_modules", ".devicescript", ".build"] },
    js.configs.recommended,
    tseslint.configs.recommended,
    {
        rules: {
            "no-undef": "off", // the TypeScript compiler knows better
            eqeqeq: "error",
            "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
        },
    },
    {
        // The host code is checked with types: a promise nobody waits for is where readings get lost.
        files: ["{host,wire,devicescript,router,clinic,sim,emulator,cli,test,bench,scripts,models}/**/*.ts"],
        ignores: [
            "browser/**",
            "clinic/web/**",
            "router/web/**",
            "cli/plot/web/**",
            "sim/web/page/**",
            "test/src/**",
            "bench/src/**",
        ],
        languageOptions: {
            parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname },
        },
        rules: {
            "@typescript-eslint/no-floating-promises": [
                "error",
                // The runner waits for what test() returns.
                {
                    allowForKnownSafeCalls: [
                        { from: "package", package: "node:test", name: ["test", "describe", "it"] },
                    ],
                },
            ],
            "@typescript-eslint/no-misused-promises": "error",
            "@typescript-eslint/await-thenable": "error",
        },
    },
    {
        // DeviceScript has neither `===`-only habits of the web nor unused-parameter elision in callbacks.
        files: ["src/**/*.ts", "test/src/**/*.ts", "bench/src/**/*.ts"],
        rules: {
            "@typescript-eslint/no-explicit-any": "off",
            // Nested arrow functions cannot use `this` there.
            "@typescript-eslint/no-this-alias": "off",
        },
    },
    {
        // All sleeping goes through one place, which knows the faults of the boards' runtimes.
        files: ["src/**/*.ts"],
        ignores: ["src/platform/**"],
        rules: {
            "no-restricted-syntax": [
                "error",
                {
                    selector:
                        "ImportDeclaration[source.value='@devicescript/core'] > " +
                        "ImportSpecifier[imported.name=/^(sleep|delay|suspend|setTimeout|setInterval)$/]",
                    message: "Sleep with src/platform/sleep.ts, wait with src/platform/signal.ts.",
                },
                {
                    selector: "MemberExpression[object.name='ds'][property.name=/^(sleep|delay|suspend)$/]",
                    message: "Sleep with src/platform/sleep.ts, wait with src/platform/signal.ts.",
                },
            ],
        },
    },
)
