import { renderProblem, type Problem } from "../tree/index.js";

/** A problem with the line of the file, where it is known, and what to do about it. */
export function renderProblemText(problem: Problem): string {
  const lines = [renderProblem(problem)];
  if (problem.excerpt !== undefined) lines.push(problem.excerpt);
  if (problem.hint !== "") lines.push(`    ${problem.hint}`);
  return lines.join("\n");
}
