#include "architectures/inputs.hpp"

#include <numeric>
#include <set>

#include "architectures/options.hpp"

namespace nngpcheck::architectures {

void validate(const Inputs& inputs) {
  if (inputs.count() < 1 || inputs.dimension() < 1) {
    throw ArchitectureError("the inputs are empty; give at least one column of at least one dimension");
  }
  if (!inputs.data.allFinite()) throw ArchitectureError("the inputs hold a number that is not finite");
  if (static_cast<Eigen::Index>(inputs.labels.size()) != inputs.count()) {
    throw ArchitectureError("the inputs have " + std::to_string(inputs.count()) + " columns but " +
                            std::to_string(inputs.labels.size()) + " labels; give one per column");
  }
  if (std::set<std::string>(inputs.labels.begin(), inputs.labels.end()).size() != inputs.labels.size()) {
    throw ArchitectureError("two inputs have the same label; labels must differ");
  }
  if (inputs.lengths.empty()) return;
  Eigen::Index total = 0;
  for (const Eigen::Index length : inputs.lengths) {
    if (length < 1) throw ArchitectureError("a sequence is empty; give each at least one token");
    total += length;
  }
  if (total != inputs.count()) {
    throw ArchitectureError("the sequences have " + std::to_string(total) + " tokens but the inputs " +
                            std::to_string(inputs.count()) + " columns; the lengths must add up");
  }
}

}  // namespace nngpcheck::architectures
