// Mistakes in a program.
#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "nngpcheck/compare/power/mistakes.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::compare {

namespace {

using netsor::Activation;
using netsor::BundleId;
using netsor::Draft;
using netsor::Program;
// ---- Random objects ----

template <class Object>
std::vector<std::string> object_names(const std::vector<Object>& objects) {
  std::vector<std::string> result;
  for (const Object& object : objects) {
    if (object.variance > 0) result.push_back(object.name);
  }
  return result;
}

constexpr auto two_percent_more = [](auto& object) { object.variance *= 1.02; };

Mistake weight_variance(const Program& program) {
  const auto what = object_names(program.weights());
  if (what.empty()) return {};
  return WrongNetwork{"weight variance + 2 %", list(what),
                      change_objects(program, {{}, two_percent_more, {}})};
}

Mistake input_variance(const Program& program) {
  const auto what = object_names(program.input_weights());
  if (what.empty()) return {};
  return WrongNetwork{"input variance + 2 %", list(what),
                      change_objects(program, {two_percent_more, {}, {}})};
}

Mistake bias_variance(const Program& program) {
  const auto what = object_names(program.biases());
  if (what.empty()) return {};
  return WrongNetwork{"bias variance + 2 %", list(what), change_objects(program, {{}, {}, two_percent_more})};
}

Mistake bias_missing(const Program& program) {
  std::vector<std::string> what;
  const auto remove = [&](netsor::Bias& bias) {
    if (bias.mean != 0 || bias.variance == 0) return;
    what.push_back(bias.name);
    bias.variance = 0;
  };
  Program wrong = change_objects(program, {{}, {}, remove});
  if (what.empty()) return {};
  return WrongNetwork{"bias missing", list(what), std::move(wrong)};
}

Mistake gate_bias_missing(const Program& program) {
  std::vector<std::string> what;
  const auto remove = [&](netsor::Bias& bias) {
    if (!bias.name.ends_with(".c") || bias.variance == 0) return;
    what.push_back(bias.name);
    bias.variance = 0;
  };
  Program wrong = change_objects(program, {{}, {}, remove});
  if (what.empty()) return {};
  return WrongNetwork{"gate without its bias", list(what), std::move(wrong)};
}

Mistake weights_untied(const Program& program) {
  std::map<netsor::WeightId, int> uses;
  for_each<netsor::MatMul>(program, [&](std::size_t, const netsor::MatMul& op) { ++uses[op.weight]; });
  std::erase_if(uses, [](const auto& use) { return use.second < 2; });
  if (uses.empty()) return {};
  std::vector<netsor::WeightId> tied;
  std::vector<std::string> what;
  for (const auto& [weight, count] : uses) {
    tied.push_back(weight);
    what.push_back(fmt::format("{} ({} uses)", program[weight].name, count));
  }
  return WrongNetwork{"weights untied", list(what), untie(program, tied)};
}

// ---- Gates ----

/// "gru1.W_z@0" is "gru1.W", "_z", "@0".
struct GateName {
  std::string front, gate, block;
};

GateName gate_name(const std::string& name) {
  const std::size_t at = std::min(name.find('@'), name.size());
  const std::size_t underscore = name.substr(0, at).rfind('_');
  if (underscore == std::string::npos || underscore + 2 != at) return {name, "", ""};
  return {name.substr(0, underscore), name.substr(underscore, 2), name.substr(at)};
}

/// Pairs of objects that differ in name by having `from` where the first has `to`.
template <class Object, class Id, class Get>
void pair_up(const std::vector<Object>& objects, const std::string& to, const std::string& from,
             const Get& id, std::vector<std::pair<Id, Id>>& pairs, std::vector<std::string>& what) {
  for (std::size_t k = 0; k < objects.size(); ++k) {
    const GateName name = gate_name(objects[k].name);
    if (name.gate != from) continue;
    for (std::size_t j = 0; j < objects.size(); ++j) {
      if (objects[j].name != name.front + to + name.block) continue;
      pairs.emplace_back(id(j), id(k));
      what.push_back(objects[k].name + " = " + objects[j].name);
    }
  }
}

Mistake gates_shared(const Program& program, const std::string& name,
                     const std::vector<std::pair<std::string, std::string>>& gates) {
  netsor::Ties ties;
  std::vector<std::string> what;
  for (const auto& [to, from] : gates) {
    pair_up(
        program.input_weights(), to, from, [&](std::size_t k) { return program.input_weight(k); },
        ties.input_weights, what);
    pair_up(
        program.weights(), to, from, [&](std::size_t k) { return program.weight(k); }, ties.weights, what);
    pair_up(
        program.biases(), to, from, [&](std::size_t k) { return program.bias(k); }, ties.biases, what);
  }
  if (ties.empty()) return {};
  return WrongNetwork{name, list(what), tie(program, ties)};
}

/// Whether a bundle is a sum that holds a random object of that gate.
bool belongs_to(const Program& program, BundleId bundle, const std::string& gate) {
  const netsor::Operation& operation = program[bundle].operation;
  if (const auto object = netsor::random_object(operation)) {
    return std::visit([&](auto id) { return gate_name(program[id].name).gate == gate; }, *object);
  }
  const auto terms = netsor::bundle_operands(operation);
  return netsor::form(operation) == netsor::Form::linear &&
         std::any_of(terms.begin(), terms.end(), [&](const netsor::BundleOperand& term) {
           return belongs_to(program, term.bundle, gate);
         });
}

Mistake gate_open(const Program& program, const std::string& name, const std::string& gate) {
  std::vector<bool> open(program.nodes().size(), false);
  std::vector<std::string> what;
  for_each<netsor::Map>(program, [&](std::size_t k, const netsor::Map& op) {
    open[k] = belongs_to(program, op.argument, gate);
    if (open[k]) what.push_back(program.name(k));
  });
  Changes changes;
  for_each<netsor::Mul>(program, [&](std::size_t k, const netsor::Mul& op) {
    const bool left = open[op.left.index()];
    if (!left && !open[op.right.index()]) return;
    const BundleId other = left ? op.right : op.left;
    if (program.type(other).columns != std::get<netsor::BundleType>(program.nodes()[k].type).columns) return;
    changes[k] = [other](const Draft& draft, std::uint32_t) { return draft[other].index(); };
  });
  if (changes.empty()) return {};
  return WrongNetwork{name, list(what) + " = 1", change_instructions(program, changes)};
}

// ---- Activations ----

Mistake relu_without_half(const Program& program) {
  Changes changes;
  for_each<netsor::Map>(program, [&](std::size_t k, const netsor::Map& op) {
    if (op.activation.kind() != Activation::Kind::relu) return;
    changes[k] = [](const Draft& draft, std::uint32_t copy) {
      return draft.builder().add({{std::numbers::sqrt2, draft.bundle(copy)}}).index();
    };
  });
  return changed(program, "relu without its ½", changes);
}

Mistake erf_convention(const Program& program) {
  Changes changes;
  for_each<netsor::Map>(program, [&](std::size_t k, const netsor::Map& op) {
    if (op.activation.kind() != Activation::Kind::erf &&
        op.activation.kind() != Activation::Kind::erf_sigmoid)
      return;
    changes[k] = [op](const Draft& draft, std::uint32_t) {
      const BundleId shrunk = draft.builder().add({{1 / std::numbers::sqrt2, draft[op.argument]}});
      return draft.builder().map(op.activation, shrunk).index();
    };
  });
  return changed(program, "erf of x/√2", changes);
}

Mistake gelu_formula(const Program& program) {
  const Activation wrong = Activation::named("gelu_tanh");
  Changes changes;
  for_each<netsor::Map>(program, [&](std::size_t k, const netsor::Map& op) {
    if (op.activation.kind() != Activation::Kind::gelu) return;
    changes[k] = [op, wrong](const Draft& draft, std::uint32_t) {
      return draft.builder().map(wrong, draft[op.argument]).index();
    };
  });
  return changed(program, "gelu by its tanh formula", changes);
}

// ---- Attention ----

/// A softmax, with the table that it acts on.
template <class Function>
void for_each_softmax(const Program& program, const Function& function) {
  for_each<netsor::Apply>(program, [&](std::size_t k, const netsor::Apply& op) {
    if (const auto* softmax = std::get_if<netsor::SoftmaxKeys>(&op.function)) {
      function(k, softmax->mask, op.arguments.front());
    }
  });
}

Mistake softmax_over_queries(const Program& program) {
  Changes changes;
  for_each_softmax(program, [&](std::size_t k, const netsor::SharedMatrix& mask, netsor::TableId scores) {
    netsor::SoftmaxKeys wrong;
    if (mask) wrong.mask = std::make_shared<const Eigen::MatrixXd>(mask->transpose());
    if (wrong.mask && (wrong.mask->colwise().maxCoeff().array() == 0).any()) return;
    changes[k] = [wrong, scores](const Draft& draft, std::uint32_t) {
      netsor::Builder& builder = draft.builder();
      const netsor::TableId transposed = builder.apply(netsor::Transpose{}, {draft[scores]});
      return builder.apply(netsor::Transpose{}, {builder.apply(wrong, {transposed})}).index();
    };
  });
  return changed(program, "softmax over the wrong axis", changes);
}

Mistake causal_mask_missing(const Program& program) {
  Changes changes;
  for_each_softmax(program, [&](std::size_t k, const netsor::SharedMatrix& mask, netsor::TableId scores) {
    if (!mask || mask->rows() != mask->cols() || *mask == mask->transpose()) return;
    const netsor::SoftmaxKeys wrong{
        std::make_shared<const Eigen::MatrixXd>(mask->cwiseMax(mask->transpose()))};
    changes[k] = [wrong, scores](const Draft& draft, std::uint32_t) {
      return draft.builder().apply(wrong, {draft[scores]}).index();
    };
  });
  return changed(program, "causal mask missing", changes);
}

Mistake attention_across_samples(const Program& program) {
  Changes changes;
  for_each_softmax(program, [&](std::size_t k, const netsor::SharedMatrix& mask, netsor::TableId scores) {
    if (!mask) return;
    changes[k] = [scores](const Draft& draft, std::uint32_t) {
      return draft.builder().apply(netsor::SoftmaxKeys{}, {draft[scores]}).index();
    };
  });
  return changed(program, "attention across samples", changes);
}

}  // namespace

std::vector<WrongNetwork> wrong_programs(const Program& program) {
  std::vector<Mistake> mistakes = {
      weight_variance(program),
      input_variance(program),
      bias_variance(program),
      bias_missing(program),
      gate_bias_missing(program),
      relu_without_half(program),
      erf_convention(program),
      gelu_formula(program),
      weights_untied(program),
      gates_shared(program, "reset and update gate share weights", {{"_z", "_r"}}),
      gates_shared(program, "input, forget and output gate share weights", {{"_i", "_f"}, {"_i", "_o"}}),
      gate_open(program, "reset gate always open", "_r"),
      gate_open(program, "forget gate always open", "_f"),
      softmax_over_queries(program),
      causal_mask_missing(program),
      attention_across_samples(program),
  };
  for (Mistake& mistake : wrong_structures(program)) mistakes.push_back(std::move(mistake));
  std::vector<WrongNetwork> result;
  for (Mistake& mistake : mistakes) {
    if (mistake) result.push_back(std::move(*mistake));
  }
  return result;
}

}  // namespace nngpcheck::compare
