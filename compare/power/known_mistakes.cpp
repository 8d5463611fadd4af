#include "nngpcheck/compare/power/known_mistakes.hpp"

#include "nngpcheck/compare/verdict/check_input.hpp"

namespace nngpcheck::compare {

namespace {

constexpr double usual = 4;      // standard errors
constexpr double digits = 1e-6;  // of single precision, and of files

/// Whether the kernels are the same up to the error bars of both.
bool alike(const Target& first, const Target& second) {
  const auto bars = [](const Target& target) { return target.error_bound + usual * target.standard_error; };
  const Eigen::VectorXd tolerance = (bars(first) + bars(second) + digits * first.scale);
  return ((first.value - second.value).cwiseAbs().array() <= tolerance.array()).all();
}

}  // namespace

std::vector<std::string> known_mistakes(const kernels::Kernel& given, const kernels::Kernel& right,
                                        const Catalogue& catalogue) {
  const Target kernel = make_target(given, {});
  if (alike(kernel, make_target(right, {}))) return {};
  std::vector<std::string> names;
  std::vector<Target> found;
  for (const Mutant& mutant : catalogue.mutants) {
    Target target = make_target(mutant.kernel, {});
    if (!alike(kernel, target)) continue;
    for (const Target& other : found) {
      if (!alike(other, target)) return {};
    }
    names.push_back(mutant.name + " (" + mutant.change + ")");
    found.push_back(std::move(target));
  }
  return names;
}

}  // namespace nngpcheck::compare
