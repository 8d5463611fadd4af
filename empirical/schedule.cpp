#include "empirical/schedule.hpp"

#include <algorithm>

#include "empirical/exact_product.hpp"

namespace nngpcheck::empirical {

namespace {

std::vector<bool> needed_nodes(const netsor::Program& program) {
  std::vector<bool> needed(program.nodes().size(), false);
  for (const netsor::BundleId block : program.output().blocks) needed[block.index()] = true;
  for (std::size_t node = needed.size(); node-- > 0;) {
    if (!needed[node]) continue;
    for (const std::size_t operand : netsor::operands(program.nodes()[node].operation))
      needed[operand] = true;
  }
  return needed;
}

double area(std::int64_t left, std::int64_t right) {
  return static_cast<double>(left) * static_cast<double>(right);
}

double numbers(const netsor::Program& program, std::size_t node, std::int64_t width) {
  const auto* bundle = std::get_if<netsor::BundleType>(&program.nodes()[node].type);
  return bundle ? area(bundle->width.at(width), bundle->columns) : 0;
}

void release_after_last_use(const netsor::Program& program, std::vector<Step>& steps) {
  std::vector<bool> kept(program.nodes().size(), false);
  for (const netsor::BundleId block : program.output().blocks) kept[block.index()] = true;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    for (const std::size_t operand : netsor::operands(program.nodes()[step->node].operation)) {
      if (!kept[operand]) step->release.push_back(operand);
      kept[operand] = true;
    }
  }
}

// In multiply-adds, of which drawing a normal number costs about eight: a matrix is drawn once and read once
// per use, while ExactProduct reads its k vectors about four times at its k-th use and its images once.
bool draw_exactly(const netsor::Weight& weight, std::int64_t width, std::int64_t uses, Products products) {
  if (products != Products::automatic) return products == Products::exact;
  const std::int64_t rows = weight.rows.at(width), columns = weight.columns.at(width);
  const double rank = static_cast<double>(std::min(uses, columns));
  const double dense = area(rows, columns) * (8 + static_cast<double>(uses));
  const double exact = static_cast<double>(uses) *
                           (rank / 2 * (4 * static_cast<double>(columns) + static_cast<double>(rows))) +
                       8 * rank * static_cast<double>(rows);
  return exact < dense;
}

double slot_numbers(const netsor::Weight& weight, std::int64_t width, const Placement& place) {
  const std::int64_t rows = weight.rows.at(width), columns = weight.columns.at(width);
  return place.exact ? static_cast<double>(ExactProduct::storage_size(rows, columns, place.uses))
                     : area(rows, columns);
}

void place_weights(const netsor::Program& program, Products products, Schedule& result) {
  std::vector<std::size_t> last_step(program.weights().size(), 0);
  const auto weight_of = [&](std::size_t step) {
    return std::get_if<netsor::MatMul>(&program.nodes()[result.steps[step].node].operation);
  };
  for (std::size_t step = 0; step < result.steps.size(); ++step) {
    const auto* product = weight_of(step);
    if (!product) continue;
    last_step[product->weight.index()] = step;
    result.weights[product->weight.index()].uses += program.type(product->argument).columns;
  }
  for (std::size_t w = 0; w < result.weights.size(); ++w) {
    result.weights[w].exact =
        draw_exactly(program.weights()[w], result.width, result.weights[w].uses, products);
  }
  std::vector<std::size_t> free_slots;
  for (std::size_t step = 0; step < result.steps.size(); ++step) {
    const auto* product = weight_of(step);
    if (!product) continue;
    Placement& place = result.weights[product->weight.index()];
    if (place.slot == Placement::nowhere) {
      const double size = slot_numbers(program[product->weight], result.width, place);
      const auto fits = std::find_if(free_slots.begin(), free_slots.end(), [&](std::size_t slot) {
        return result.slot_size[slot] == size && result.slot_exact[slot] == place.exact;
      });
      place.first_step = step;
      if (fits != free_slots.end()) {
        place.slot = *fits;
        free_slots.erase(fits);
      } else {
        place.slot = result.slot_size.size();
        result.slot_size.push_back(size);
        result.slot_exact.push_back(place.exact);
      }
    }
    if (last_step[product->weight.index()] == step) free_slots.push_back(place.slot);
  }
}

// An input weight is drawn where it is read and dropped at once.
double temporaries(const netsor::Program& program, std::size_t node, std::int64_t width) {
  if (const auto* input = std::get_if<netsor::Input>(&program.nodes()[node].operation)) {
    const netsor::InputWeight& weight = program[input->weight];
    return area(weight.width.at(width), weight.inputs);
  }
  return 2 * numbers(program, node, width);
}

double peak(const netsor::Program& program, const Schedule& plan) {
  double live = 0;
  double result = 0;
  for (const Step& step : plan.steps) {
    live += numbers(program, step.node, plan.width);
    result = std::max(result, live + temporaries(program, step.node, plan.width));
    for (const std::size_t node : step.release) live -= numbers(program, node, plan.width);
  }
  for (std::size_t slot = 0; slot < plan.slot_size.size(); ++slot) {
    if (!plan.slot_exact[slot]) result += plan.slot_size[slot];
  }
  return result;
}

}  // namespace

Schedule schedule(const netsor::Program& program, std::int64_t width, Products products) {
  Schedule result{width, {}, std::vector<Placement>(program.weights().size()), {}, {}, 0, 0};
  const std::vector<bool> needed = needed_nodes(program);
  for (std::size_t node = 0; node < needed.size(); ++node) {
    if (needed[node]) result.steps.push_back({node, {}});
  }
  release_after_last_use(program, result.steps);
  place_weights(program, products, result);
  result.peak_numbers = peak(program, result);
  for (std::size_t slot = 0; slot < result.slot_size.size(); ++slot) {
    if (result.slot_exact[slot]) result.exact_numbers += result.slot_size[slot];
  }
  return result;
}

}  // namespace nngpcheck::empirical
