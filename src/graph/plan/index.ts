export type { PlanInput, StagesInput } from "./input.js";
export { planTarget, requiredImages, type RequiredImage } from "./plan-target.js";
export { stepIdentity } from "./step-identity.js";
export { familiarImageName } from "./image-name.js";
