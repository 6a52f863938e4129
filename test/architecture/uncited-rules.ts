/** Rules of docs/spec that nothing cites yet. The list may only shrink: a new rule comes with the test that holds it. */
export const uncitedRules: readonly string[] = [
  ..."BS-6".split(" "),
  ..."GZ-14".split(" "),
  ..."IM-29 IM-30".split(" "),
  ..."PA-10 PA-11 PA-12 PA-15 PA-16 PA-17 PA-18 PA-19 PA-21 PA-22 PA-23 PA-24 PA-26".split(" "),
  ..."PL-13 PL-14 PL-15 PL-16 PL-20 PL-21 PL-22 PL-23 PL-24 PL-25 PL-26 PL-27 PL-28 PL-29 PL-35 PL-37 PL-38 PL-80 PL-81 PL-82".split(
    " ",
  ),
];
