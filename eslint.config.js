import tseslint from "typescript-eslint";

const generated = ["dist/**", "dist-*/**", "node_modules/**", "out/**", "src/**/assembly/**"];

export default tseslint.config(
  { ignores: generated },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-unused-vars": ["error", { ignoreRestSiblings: true, argsIgnorePattern: "^_" }],
      "no-empty": ["error", { allowEmptyCatch: false }],
      "no-control-regex": "off",
      eqeqeq: "error",
      "prefer-const": "error",
      "max-lines": ["error", { max: 400 }],
      "max-lines-per-function": ["error", { max: 60 }],
    },
  },
  {
    files: ["**/*.test.ts", "test/**/*.ts"],
    rules: { "max-lines-per-function": "off" },
  },
);
