// Programs written anew with something changed.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// A change of each random object of a kind, in place. Names must stay distinct; whatever is empty changes
/// nothing.
struct ObjectChanges {
  std::function<void(InputWeight&)> input_weight = {};
  std::function<void(Weight&)> weight = {};
  std::function<void(Bias&)> bias = {};
};

/// The program with other random objects. Throws ProgramError if they do not fit.
Program change_objects(const Program& program, const ObjectChanges& changes);

/// Pairs of random objects of a program that are taken to be the same one: the first.
struct Ties {
  std::vector<std::pair<InputWeightId, InputWeightId>> input_weights = {};
  std::vector<std::pair<WeightId, WeightId>> weights = {};
  std::vector<std::pair<BiasId, BiasId>> biases = {};

  bool empty() const { return input_weights.empty() && weights.empty() && biases.empty(); }
};

/// The program in which the first of each pair is used wherever the second was. Throws ProgramError if they
/// differ in shape.
Program tie(const Program& program, const Ties& ties);

/// The program in which every instruction W·X has a W of its own, called "W (2)", "W (3)", … from the second
/// on, for each of these weights W.
Program untie(const Program& program, const std::vector<WeightId>& weights);

/// The program in which one term of a sum is an independent copy of itself: it is computed from random
/// objects of its own, called "W (copy)", …. Throws ProgramError if there is no such sum or term.
Program decouple(const Program& program, BundleId sum, std::size_t term);

/// The same network with another output: y = vᵀX/√n over these blocks of it, v of variance 1; what they do
/// not depend on is left out. Throws ProgramError if they do not make an output, see Builder::output.
Program read_out(const Program& program, const std::vector<BundleId>& blocks,
                 std::vector<std::string> labels);

/// A program that is being written anew: what was written for each instruction of the source so far.
class Draft {
 public:
  Draft(const Program& source, Builder& builder, const std::vector<std::uint32_t>& written)
      : source_(source), builder_(builder), written_(written) {}

  const Program& source() const { return source_; }
  Builder& builder() const { return builder_; }

  /// What stands for an instruction of the source. Precondition: it comes before the one that is changed.
  BundleId operator[](BundleId id) const { return {serial(), written_[id.index()]}; }
  TableId operator[](TableId id) const { return {serial(), written_[id.index()]}; }

  /// The ids of the instruction of that number. Precondition: it is a bundle, or a table.
  BundleId bundle(std::uint32_t number) const { return {serial(), number}; }
  TableId table(std::uint32_t number) const { return {serial(), number}; }

 private:
  std::uint32_t serial() const;

  const Program& source_;
  Builder& builder_;
  const std::vector<std::uint32_t>& written_;
};

/// What later instructions read instead of one instruction, as its number in the draft; `copy` is the number
/// of the faithful copy. It must have the same number of columns (of rows and columns, for a table).
using Change = std::function<std::uint32_t(const Draft& draft, std::uint32_t copy)>;

/// The program with changes at these instructions of it. Throws ProgramError if they do not fit; whatever no
/// output reads any more is left out.
Program change_instructions(const Program& program, const std::map<std::size_t, Change>& changes);

}  // namespace nngpcheck::netsor
