#include "nngpcheck/import/import.hpp"

#include <algorithm>
#include <cmath>

#include "nngpcheck/import/call.hpp"
#include "nngpcheck/import/interpret.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/passes/rewrite.hpp"
#include "nngpcheck/support/error.hpp"

namespace nngpcheck::importer {

namespace {

constexpr int most_runs = 1000;  // each one splits a width

/// Where the graphs of two widths differ in more than sizes, or "".
std::string difference(const Graph& a, const Graph& b) {
  const auto said = [&](const std::string& what) {
    return what + " at n = " + std::to_string(a.n) + " and n = " + std::to_string(b.n);
  };
  for (std::size_t k = 0; k < std::min(a.nodes.size(), b.nodes.size()); ++k) {
    const GraphNode &x = a.nodes[k], &y = b.nodes[k];
    if (x.op != y.op || x.name != y.name || x.shapes.size() != y.shapes.size())
      return said("the operators differ, from " + (x.place.empty() ? x.name : x.place) + " on,");
    for (std::size_t r = 0; r < x.shapes.size(); ++r) {
      if (x.shapes[r].has_value() != y.shapes[r].has_value() ||
          (x.shapes[r] && x.shapes[r]->size() != y.shapes[r]->size()))
        return said("results have different numbers of axes, from " + (x.place.empty() ? x.name : x.place) +
                    " on,");
    }
  }
  if (a.nodes.size() != b.nodes.size())
    return said("there are " + std::to_string(a.nodes.size()) + " and " + std::to_string(b.nodes.size()) +
                " operators");
  if (a.inputs.size() != b.inputs.size() || a.outputs.size() != b.outputs.size())
    return said("there are other numbers of parameters or outputs");
  for (std::size_t k = 0; k < a.inputs.size(); ++k) {
    const GraphInput &x = a.inputs[k], &y = b.inputs[k];
    if (x.name != y.name || x.numbers.shape.size() != y.numbers.shape.size() || x.law.kind != y.law.kind ||
        x.given != y.given || x.same_as != y.same_as || x.law.laws.size() != y.law.laws.size())
      return said("the parameter `" + x.target + "` differs");
  }
  for (std::size_t k = 0; k < a.outputs.size(); ++k)
    if (a.outputs[k].first != b.outputs[k].first) return said("the outputs differ");
  return "";
}

void require_operators(const Graph& graph) {
  for (const GraphNode& node : graph.nodes) {
    if (!find_operator(node.op)) {
      throw InputError("the operator " + node.op + " (" + (node.place.empty() ? node.name : node.place) +
                       ") is not known; write it with others, or ask for it");
    }
  }
}

/// One run of the model's graph.
class Run {
 public:
  enum class Kind { features, outputs };  // whose kernel the program's is

  Run(const Archive& archive, Widths& widths, Report& report, std::optional<std::size_t> at, Kind kind)
      : archive_(archive),
        widths_(widths),
        report_(report),
        kind_(kind),
        writer_(archive, widths, report, at),
        algebra_(writer_) {
    report_.begin_run();
    const Graph& graph = archive.graphs[0];
    for (std::size_t k = 0; k < graph.inputs.size(); ++k) {
      report_.set_place("");
      results_[graph.inputs[k].name] = {writer_.load(k)};
    }
    for (std::size_t k = 0; k < graph.nodes.size(); ++k) run(k);
    report_.set_place("");
    for (const auto& [name, numbers] : graph.outputs) outputs_.push_back(results_.at(name)[0]);
    read_out();
  }

  Writer& writer() { return writer_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  const std::string& readout() const { return readout_; }
  bool depends() const { return depends_; }
  netsor::Program program() { return std::move(writer_.builder()).build(); }

 private:
  void run(std::size_t k) {
    const std::array<const GraphNode*, width_count> nodes = {
        &archive_.graphs[0].nodes[k], &archive_.graphs[1].nodes[k], &archive_.graphs[2].nodes[k]};
    const GraphNode& node = *nodes[0];
    const char* comma = node.module.empty() || node.place.empty() ? "" : ", ";
    report_.set_place((node.module.empty() ? "" : "`" + node.module + "`") + comma + node.place);
    auto origin = std::make_shared<netsor::Origin>();
    origin->layer = !node.module.empty() ? node.module : !node.place.empty() ? node.place : node.name;
    writer_.builder().set_origin(origin);
    const Call call(algebra_, results_, nodes);
    std::vector<Tensor> made = (*find_operator(nodes[0]->op))(call);
    // Others are checked where getitem reads them: torch 2.6 gives the states of an LSTM another shape.
    for (std::size_t r = 0; r < std::min<std::size_t>(made.size(), 1) && !nodes[0]->shapes.empty(); ++r) {
      if (!nodes[0]->shapes[r]) continue;
      const auto sizes = call.result_sizes(r);
      bool equal = sizes.size() == made[r].axes.size();
      for (std::size_t a = 0; equal && a < sizes.size(); ++a)
        equal = widths_.size(made[r].axes[a]) == sizes[a];
      if (!equal)
        throw Refusal{"reject", "shape",
                      "the result of " + nodes[0]->op + " has another shape than the archive says"};
    }
    results_[nodes[0]->name] = std::move(made);
  }

  /// The features: what the last readout that reaches the first output reads.
  void read_out() {
    const Random* last = nullptr;
    Values factor = constant_values(1);
    for (const Cell& cell : outputs_[0].cells) {
      const auto* random = std::get_if<std::shared_ptr<const Random>>(&cell.value);
      if (!random || (last && (*random)->readout <= last->readout)) continue;
      if ((*random)->readout >= static_cast<int>(writer_.readouts().size())) continue;  // of no linear layer
      last = random->get();
      factor = cell.factor;
    }
    std::vector<Cells> blocks;
    std::vector<int> widths;
    if (!last || last->readout < 0) {
      own_features(blocks, widths);
      write_output(blocks, widths);
      return;
    }
    const Readout& readout = writer_.readouts()[static_cast<std::size_t>(last->readout)];
    readout_ = archive_.graphs[0].inputs[readout.input].target;
    Values fan_in{};
    for (const Readout& one : writer_.readouts()) {
      if (one.input != readout.input || (!widths.empty() && widths != one.widths)) continue;
      widths = one.widths;
      blocks.resize(widths.size());
      for (std::size_t b = 0; b < widths.size(); ++b)
        blocks[b].insert(blocks[b].end(), one.x[b].begin(), one.x[b].end());
    }
    for (const int w : widths)
      if (w != finite) fan_in = fan_in + values_of(widths_.size(w));
    const Values scale = factor * last->scale;
    const auto drawn = growth(readout.variance * fan_in, widths_.n());
    const auto whole = growth(readout.variance * fan_in * scale * scale, widths_.n());
    if (whole && whole->power < 0)
      report_.add("readout_vanishes:" + readout_,
                  "the variance of `" + readout_ + "` times its fan-in vanishes, and so do the outputs");
    if (whole && whole->power == 0 && whole->limit > 0) readout_variance_ = whole->limit;
    // Features are what a layer reads, or the derivative by a parameter that is used in another way.
    const bool layer = readout.plain && (!drawn || drawn->power <= 0);
    const double total = readout_variance_, factor_of_features = layer ? 1 : std::sqrt(total);
    readout_variance_ = layer ? total : 1;
    const auto bias = growth(factor * factor * last->bias, widths_.n());
    bias_variance_ = bias && bias->power == 0 ? bias->limit : 0;
    for (Cells& cells : blocks)
      for (Cell& cell : cells) cell = Writer::scaled(cell, factor_of_features);
    write_output(blocks, widths);
  }

  void own_features(std::vector<Cells>& blocks, std::vector<int>& widths) {
    const Tensor& out = outputs_[0];
    std::optional<std::size_t> axis;
    for (std::size_t k = 0; k < out.axes.size(); ++k)
      if (!is_finite(out.axes[k])) axis = k;
    const bool tables =
        std::any_of(out.cells.begin(), out.cells.end(), [](const Cell& c) { return !c.is_number(); });
    if (!axis) {
      throw Refusal{
          "reject", tables ? "table_output" : "constant_output",
          tables
              ? "the outputs are means over the width: they converge to numbers, there is no Gaussian process"
              : "the outputs do not depend on any random parameter"};
    }
    const Tensor last = algebra_.transpose(out, static_cast<std::int64_t>(*axis), -1);
    widths = slot_widths(last.axes.back());
    blocks.resize(widths.size());
    for (std::size_t k = 0; k < last.cells.size(); ++k) blocks[k % widths.size()].push_back(last.cells[k]);
  }

  void write_output(std::vector<Cells>& blocks, const std::vector<int>& widths) {
    std::vector<netsor::BundleId> bundles;
    double ratio = 0;  // the sum of the blocks' widths, over n
    for (const int w : widths)
      if (w != finite) ratio += widths_.width(w).ratio();
    const bool with_bias = kind_ == Kind::outputs && bias_variance_ > 0;
    if (with_bias)  // one more block, of the constant: the others keep their weight
      for (Cells& cells : blocks)
        for (Cell& cell : cells) cell = Writer::scaled(cell, std::sqrt((ratio + 1) / ratio));
    for (std::size_t b = 0; b < blocks.size(); ++b) {
      if (widths[b] == finite) continue;
      for (const Cell& cell : blocks[b]) {
        const auto g = growth(cell.factor, widths_.n());
        depends_ = depends_ || (cell.depends && (!g || g->power > -0.1));
      }
      bundles.push_back(writer_.bundle(blocks[b], widths[b]));
    }
    if (bundles.empty()) throw Refusal{"reject", "no_readout", "the output is no sum over the width"};
    const double variance = kind_ == Kind::outputs ? readout_variance_ : 1;
    if (with_bias) {
      const double constant = std::sqrt(bias_variance_ * (ratio + 1) / variance);
      bundles.push_back(writer_.bundle(Cells(blocks[0].size(), number(constant)), finite));
    }
    writer_.builder().output(writer_.builder().readout({readout_.empty() ? "readout" : readout_, variance}),
                             bundles);
  }

  const Archive& archive_;
  Widths& widths_;
  Report& report_;
  Kind kind_;
  Writer writer_;
  Algebra algebra_;
  Results results_;
  std::vector<Tensor> outputs_;
  std::string readout_;
  double readout_variance_ = 1, bias_variance_ = 0;
  bool depends_ = false;
};

/// The class of a parameter, by its axes and what was done with it.
std::string class_of(const Archive& archive, std::size_t input, const Usage* usage) {
  const GraphInput& first = archive.graphs[0].inputs[input];
  if (first.law.kind == Law::Kind::constant) return "constant";
  std::vector<std::size_t> wide;
  const auto& shape = first.numbers.shape;
  const GraphInput* last = nullptr;  // of the same name, at the largest width
  for (const GraphInput& other : archive.graphs[2].inputs)
    if (other.target == first.target) last = &other;
  for (std::size_t k = 0; k < shape.size(); ++k)
    if (last && k < last->numbers.shape.size() && last->numbers.shape[k] != shape[k]) wide.push_back(k);
  if (wide.size() > 1) return "weight";
  if (wide.empty()) {
    if (usage && usage->output_bias) return "readout_bias";
    return !usage && shape.size() == 1 ? "readout_bias" : "finite_random";
  }
  if (usage && usage->contracted) return "input_weight";
  if (usage && usage->read_out) return usage->inner ? "inner_readout" : "readout";
  if (shape.size() == 1) return "bias";
  if (usage && usage->vector) return "vector";
  if (shape[wide[0] == 0 ? 1 : 0] == 1 && wide[0] == 0) return "vector";
  return wide[0] == 0 ? "input_weight" : "readout";
}

void set_parameters(Imported& result, const Archive& archive, const Report& report) {
  const std::vector<GraphInput>& inputs = archive.graphs[0].inputs;
  for (std::size_t k = 0; k < inputs.size(); ++k) {
    if (inputs[k].given || inputs[k].constant) continue;
    std::string used = inputs[k].target;
    for (const GraphInput& other : inputs)
      if (other.name == inputs[k].same_as) used = other.target;
    const auto found = report.usage().find(used);
    result.parameters[inputs[k].target] =
        class_of(archive, k, found == report.usage().end() ? nullptr : &found->second);
  }
}

/// What vanishes and diverges, in words, and the verdict.
void conclude(Imported& result, Report& report, bool depends) {
  const auto class_named = [&](const std::string& name) {
    const auto found = result.parameters.find(name);
    return found == result.parameters.end() ? std::string() : found->second;
  };
  if (!report.diverged().empty()) {
    for (const auto& [name, place] : report.heavy())
      report.add("fixed_std:" + name,
                 "the variance of `" + name +
                     "` times its fan-in grows with n: take a standard deviation ∝ n^(-1/2)",
                 place);
    if (report.heavy().empty()) report.add("diverges", "what the network computes grows with n");
  }
  const bool random =
      report.has("scores_sqrt_d") || report.has("finite_random") || report.has("finite_bottleneck");
  const bool grows = !report.diverged().empty();
  for (const auto& [name, place] : grows || random ? Report::Parameters{} : report.vanished()) {
    const std::string vanishes = "the variance of `" + name + "`";
    if (name == "softmax_width") {
      report.add(name, "a softmax over the width: its entries are of order 1/n, what follows vanishes",
                 place);
    } else if (name.ends_with("]")) {
      report.add("vanishing_block:" + name,
                 vanishes + ", which finitely many numbers are added up with, vanishes as n grows", place);
    } else if (class_named(name) == "bias" || class_named(name) == "vector") {
      report.add("vanishing_bias:" + name, vanishes + " vanishes as n grows", place);
    } else {
      report.add("vanishing_input:" + name, vanishes + ", which has a finite fan-in, vanishes as n grows",
                 place);
    }
  }
  if (random) {
    result.verdict = "no_limit";
  } else if (grows) {
    result.verdict = "diverges";
  } else if (report.has("unknown_growth")) {
    result.verdict = "reject";
  } else if (!depends) {
    result.verdict = "input_vanishes";
  } else {
    result.verdict = report.has("non_gaussian_input") ? "limit_other_input_law" : "limit";
  }
  result.diagnoses = report.diagnoses();
}

double largest_difference_of(Run& run, const netsor::Program& program, const Archive& archive,
                             const Widths& widths) {
  const Evaluation evaluation(program, run.writer());
  const auto& expected = archive.graphs[evaluation.graph()].outputs;
  double difference = 0, largest = 0;
  for (std::size_t k = 0; k < expected.size(); ++k) {
    const std::vector<double> values = output_of(run.outputs()[k], evaluation, widths);
    const std::vector<double>& wanted = expected[k].second.values;
    if (values.size() != wanted.size())
      throw Refusal{"reject", "shape", "the outputs have another shape than the archive's"};
    for (std::size_t i = 0; i < values.size(); ++i) {
      difference =
          std::isfinite(values[i]) ? std::max(difference, std::abs(values[i] - wanted[i])) : INFINITY;
      largest = std::max(largest, std::abs(wanted[i]));
    }
  }
  return largest > 0 ? difference / largest : difference;
}

/// Runs until no width is split and the uses of parameters are known.
std::unique_ptr<Run> settled(const Archive& archive, Widths& widths, Report& report,
                             std::optional<std::size_t> at, Run::Kind kind = Run::Kind::features) {
  for (int k = 0; k < most_runs; ++k) {
    try {
      auto run = std::make_unique<Run>(archive, widths, report, at, kind);
      bool again = false;
      for (auto& [name, usage] : report.usage()) {
        if (usage.read_out && usage.vector) {
          usage.read_out = false;
          again = true;
        }
      }
      if (!again) return run;
    } catch (const Split&) {
    }
  }
  throw Refusal{"reject", "width_mixed", "the width would have to be split into too many parts"};
}

Widths widths_of(const Archive& archive) {
  Size n;
  for (std::size_t g = 0; g < width_count; ++g) n[g] = archive.graphs[g].n;
  return Widths(n);
}

void derive(Imported& result, const Archive& archive, Widths& widths, Report& report) {
  for (std::size_t g = 1; g < width_count; ++g) {
    const std::string differs = difference(archive.graphs[0], archive.graphs[g]);
    if (!differs.empty()) throw Refusal{"reject", "structure_depends_on_n", differs};
  }
  if (archive.graphs[0].random)
    throw Refusal{"outside", "random_forward",
                  "the network draws random numbers for each input (dropout in training?)"};
  const auto run = settled(archive, widths, report, {});
  set_parameters(result, archive, report);
  conclude(result, report, run->depends());
  result.readout = run->readout();
  if (has_limit(result) && report.has_kernel()) {
    result.features = netsor::change_instructions(run->program(), {});
    Report again;
    again.usage() = report.usage();
    result.outputs =
        netsor::change_instructions(settled(archive, widths, again, {}, Run::Kind::outputs)->program(), {});
  }
  if (result.verdict == "no_limit" || result.verdict == "reject") return;
  Report unused;
  unused.usage() = report.usage();
  for (std::size_t g = 0; g < width_count; ++g) {
    const auto finite_run = settled(archive, widths, unused, g);
    const netsor::Program program = finite_run->program();
    result.equal_outputs.emplace_back(archive.graphs[g].n,
                                      largest_difference_of(*finite_run, program, archive, widths));
  }
  for (const auto& [n, difference] : result.equal_outputs) {
    if (!(difference <= largest_difference)) {
      throw Refusal{"reject", "outputs_differ",
                    "the program derived does not give the model's outputs at n = " + std::to_string(n)};
    }
  }
}

}  // namespace

bool has_limit(const Imported& imported) {
  return imported.verdict == "limit" || imported.verdict == "limit_other_input_law";
}

namespace {

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string result;
  for (const std::int64_t length : shape) result += (result.empty() ? "" : ", ") + std::to_string(length);
  return "(" + result + ")";
}

/// The archive with another array instead of the one that the model is given. Its outputs are those of the
/// old one.
Archive with_input(Archive archive, const Numbers& array) {
  for (Graph& graph : archive.graphs) {
    GraphInput* given = nullptr;
    for (GraphInput& input : graph.inputs) {
      if (input.given && given)
        throw InputError("the model is given several inputs; export it with the others");
      if (input.given) given = &input;
    }
    if (!given) throw InputError("the model is given no inputs");
    if (given->numbers.shape != array.shape)
      throw InputError("inputs of shape " + shape_text(array.shape) +
                       ", but the archive's graphs are of shape " + shape_text(given->numbers.shape) +
                       "; give that, or export the model with these inputs");
    given->numbers = array;
  }
  return archive;
}

}  // namespace

Imported import_model(const Archive& archive, const Numbers& array) {
  const Archive other = with_input(archive, array);
  Imported result = import_model(archive);
  if (!result.outputs) return result;
  Widths widths = widths_of(other);
  Report report;
  const auto features = settled(other, widths, report, {});
  result.features = netsor::change_instructions(features->program(), {});
  Report again;
  again.usage() = report.usage();
  result.outputs =
      netsor::change_instructions(settled(other, widths, again, {}, Run::Kind::outputs)->program(), {});
  return result;
}

Imported import_model(const Archive& archive) {
  require_operators(archive.graphs[0]);
  Imported result;
  Report report;
  Widths widths = widths_of(archive);
  const auto refuse = [&](const std::string& verdict, const std::string& code, const std::string& text) {
    result.verdict = verdict;
    report.add(code, text);
    result.diagnoses = report.diagnoses();
    result.features.reset();
    result.outputs.reset();
    set_parameters(result, archive, report);
  };
  try {
    derive(result, archive, widths, report);
  } catch (const Refusal& refusal) {
    refuse(refusal.verdict, refusal.code, refusal.text);
  } catch (const AxesMixed& mixed) {
    refuse("reject", "width_mixed", mixed.problem);
  } catch (const netsor::ProgramError& error) {
    refuse("reject", "program", error.what());
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {  // of a graph that torch would not have written
    refuse("reject", "graph", error.what());
  }
  return result;
}

nlohmann::ordered_json to_json(const Imported& imported) {
  nlohmann::ordered_json json;
  json["verdict"] = imported.verdict;
  json["diagnoses"] = nlohmann::ordered_json::array();
  json["explanations"] = nlohmann::ordered_json::array();
  for (const Diagnosis& d : imported.diagnoses) {
    json["diagnoses"].push_back(d.code);
    json["explanations"].push_back(d.text);
  }
  json["parameters"] = imported.parameters;
  json["equal_outputs"] = nlohmann::ordered_json::object();
  for (const auto& [n, difference] : imported.equal_outputs)
    json["equal_outputs"][std::to_string(n)] = difference;
  return json;
}

}  // namespace nngpcheck::importer
