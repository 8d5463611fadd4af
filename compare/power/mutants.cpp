#include "nngpcheck/compare/power/mutants.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "nngpcheck/compare/power/mistakes.hpp"
#include "nngpcheck/compare/program_check.hpp"
#include "nngpcheck/compare/verdict/check_input.hpp"

namespace nngpcheck::compare {

std::string list(const std::vector<std::string>& names) {
  constexpr std::ptrdiff_t shown = 3;
  if (std::ssize(names) <= shown + 1) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{}, … ({} in all)", fmt::join(names.begin(), names.begin() + shown, ", "),
                     names.size());
}

Mistake changed(const netsor::Program& program, std::string name, const Changes& changes) {
  if (changes.empty()) return {};
  std::vector<std::string> where;
  for (const auto& [index, change] : changes) where.push_back(program.name(index));
  return WrongNetwork{std::move(name), list(where), change_instructions(program, changes)};
}

namespace {

kernels::Kernel scaled(kernels::Kernel kernel, double factor) {
  kernel.value *= factor;
  kernel.standard_error *= factor;
  kernel.error_bound *= factor;
  return kernel;
}

}  // namespace

std::vector<Mutant> wrong_kernels(const kernels::Kernel& right) {
  std::vector<Mutant> result = {{"scale 1 % too large", "K × 1.01", scaled(right, 1.01)},
                                {"scale 1 % too small", "K × 0.99", scaled(right, 0.99)}};
  const Eigen::Index last = right.value.rows() - 1;
  kernels::Kernel entry = right;
  entry.value(0, last) += 0.02 * std::sqrt(right.value(0, 0) * right.value(last, last));
  entry.value(last, 0) = entry.value(0, last);
  result.push_back({"one entry off by 2 %", entry_name({0, last}, right.labels), std::move(entry)});
  if (last > 0) {
    kernels::Kernel swapped = right;
    for (Eigen::MatrixXd* matrix : {&swapped.value, &swapped.standard_error, &swapped.error_bound}) {
      if (matrix->size() == 0) continue;
      matrix->row(0).swap(matrix->row(last));
      matrix->col(0).swap(matrix->col(last));
    }
    const std::string change = right.labels.empty() ? fmt::format("0 and {}", last)
                                                    : right.labels.front() + " and " + right.labels.back();
    result.push_back({"two inputs swapped", change, std::move(swapped)});
  }
  return result;
}

double distance(const kernels::Kernel& given, const kernels::Kernel& right) {
  const Eigen::VectorXd scale = make_target(given, {}).scale;
  return (upper_triangle(given.value) - upper_triangle(right.value))
      .cwiseAbs()
      .cwiseQuotient(scale)
      .maxCoeff();
}

namespace {

Catalogue catalogue(std::vector<WrongNetwork> wrong, const kernels::Kernel& right,
                    const analytic::LimitOptions& options) {
  constexpr double least_distance = 1e-6;
  Catalogue result{wrong_kernels(right), {}};
  for (WrongNetwork& one : wrong) {
    try {
      kernels::Kernel kernel = analytic::limit(one.program, options);
      kernel.labels = right.labels;
      result.mutants.push_back({std::move(one.name), std::move(one.change), std::move(kernel)});
    } catch (const analytic::LimitError& error) {
      result.left_out.push_back({one.name, error.what()});
    }
  }
  std::erase_if(result.mutants, [&](const Mutant& mutant) {
    if (distance(mutant.kernel, right) >= least_distance) return false;
    result.left_out.push_back({mutant.name, "it makes no difference here (" + mutant.change + ")"});
    return true;
  });
  return result;
}

}  // namespace

Catalogue mutants(const architectures::Network& network, const inputs::Inputs& inputs,
                  const kernels::Kernel& right, const analytic::LimitOptions& options) {
  std::vector<WrongNetwork> wrong = wrong_programs(architectures::program(network, inputs));
  for (WrongNetwork& one : wrong_networks(network, inputs)) wrong.push_back(std::move(one));
  return catalogue(std::move(wrong), right, options);
}

Catalogue mutants(const netsor::Program& program, const kernels::Kernel& right,
                  const analytic::LimitOptions& options) {
  return catalogue(wrong_programs(program), right, options);
}

}  // namespace nngpcheck::compare
