// Check results as JUnit XML, which CI servers read.
#pragma once

#include <string>
#include <vector>

#include "nngpcheck/compare/verdict/check.hpp"

namespace nngpcheck::compare {

struct NamedResult {
  std::string file, name;  // of the experiment
  CheckResult result;
};

/// One `<testsuite>` "nngpcheck" with a `<testcase>` per result, in order: classname is the file. `disagree`
/// is a `<failure>`, `inconclusive` an `<error>`; each holds the verdict line and the JSON of the evidence.
std::string junit(const std::vector<NamedResult>& results);

}  // namespace nngpcheck::compare
