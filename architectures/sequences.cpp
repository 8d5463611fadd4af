#include "architectures/sequences.hpp"

#include <algorithm>

namespace nngpcheck::architectures {

using Eigen::Index;

TimeSteps::TimeSteps(const Inputs& inputs) : inputs_(inputs) {
  if (inputs.lengths.empty()) {
    throw ArchitectureError(
        "the inputs are plain vectors but this architecture reads sequences; give a file with the columns "
        "sequence,position,token,x0,x1,…");
  }
  tokens_.resize(static_cast<std::size_t>(*std::max_element(inputs.lengths.begin(), inputs.lengths.end())));
  sequences_.resize(tokens_.size());
  Index first = 0;
  for (std::size_t s = 0; s < inputs.lengths.size(); ++s) {
    for (Index t = 0; t < inputs.lengths[s]; ++t) {
      tokens_[static_cast<std::size_t>(t)].push_back(first + t);
      sequences_[static_cast<std::size_t>(t)].push_back(static_cast<Index>(s));
    }
    first += inputs.lengths[s];
  }
}

std::vector<Index> TimeSteps::surviving(int t) const {
  std::vector<Index> result;
  const auto& before = sequences_[static_cast<std::size_t>(t - 1)];
  for (const Index sequence : sequences_[static_cast<std::size_t>(t)]) {
    result.push_back(std::lower_bound(before.begin(), before.end(), sequence) - before.begin());
  }
  return result;
}

netsor::BundleId TimeSteps::collect(netsor::Builder& builder, const std::vector<netsor::BundleId>& states,
                                    const std::string& output) const {
  const Index columns = output == "all" ? inputs_.count() : static_cast<Index>(inputs_.lengths.size());
  std::vector<netsor::Add::Term> terms;
  for (std::size_t t = 0; t < states.size(); ++t) {
    std::vector<Eigen::Triplet<double>> entries;
    for (std::size_t j = 0; j < tokens_[t].size(); ++j) {
      const Index sequence = sequences_[t][j];
      const Index length = inputs_.lengths[static_cast<std::size_t>(sequence)];
      if (output == "last" && static_cast<Index>(t) + 1 != length) continue;
      const Index column = output == "all" ? tokens_[t][j] : sequence;
      const double coefficient = output == "average" ? 1.0 / static_cast<double>(length) : 1.0;
      entries.emplace_back(static_cast<int>(j), static_cast<int>(column), coefficient);
    }
    if (entries.empty()) continue;
    netsor::SparseMatrix matrix(static_cast<Index>(tokens_[t].size()), columns);
    matrix.setFromTriplets(entries.begin(), entries.end());
    terms.push_back({1, builder.mix(states[t], std::move(matrix))});
  }
  return builder.add(std::move(terms));
}

std::vector<std::string> TimeSteps::labels(const std::string& output) const {
  if (output == "all") return inputs_.labels;
  std::vector<std::string> result;
  for (std::size_t s = 0; s < inputs_.lengths.size(); ++s) result.push_back(std::to_string(s));
  return result;
}

RecurrentAffine::RecurrentAffine(netsor::Builder& builder, const Inputs& inputs, const TimeSteps& steps,
                                 const std::string& suffix, const RecurrentVariances& variances)
    : builder_(builder),
      steps_(steps),
      weight_(builder.weight({"W" + suffix, {}, {}, variances.weight})),
      drive_(builder.input(builder.input_weight({"U" + suffix, {}, inputs.dimension(), variances.input}),
                           inputs.data)) {
  if (variances.bias > 0) {
    drive_ = builder.add(drive_, builder.column(builder.bias({"b" + suffix, {}, variances.bias})));
  }
}

netsor::BundleId RecurrentAffine::drive(int t) const { return builder_.select(drive_, steps_.tokens(t)); }

netsor::BundleId RecurrentAffine::operator()(int t, std::optional<netsor::BundleId> state) const {
  const netsor::BundleId input = drive(t);
  return state ? builder_.add(input, recur(*state)) : input;
}

}  // namespace nngpcheck::architectures
