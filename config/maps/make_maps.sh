# Maps of the simulated town: netgenerate of eclipse-sumo 1.28.0 (pip install eclipse-sumo); run in this folder.
set -e
N=${NETGENERATE:-netgenerate}
make() {  # name seed nx ny lx ly perturb [radius of a kerb]
  name=$1 seed=$2 nx=$3 ny=$4 lx=$5 ly=$6 perturb=$7 radius=${8:-9}
  $N --grid --grid.x-number $nx --grid.y-number $ny --grid.x-length $lx --grid.y-length $ly \
    --perturb-x "$perturb" --perturb-y "$perturb" --seed $seed \
    --default.lanenumber 1 --default.lanewidth 3.5 --default.speed 10 --default.sidewalk-width 2.5 \
    --sidewalks.guess --sidewalks.guess.max-speed 15 --crossings.guess --tls.guess --tls.guess.threshold 29 --default.junctions.type priority \
    --default.junctions.radius $radius --tls.green.time 16 --tls.yellow.time 3 \
    --no-turnarounds --no-warnings --output-file $name.net.xml
  sed -i -e '/<!--/,/-->/d' $name.net.xml
  gzip -9nf $name.net.xml
}
make town_0 1 4 4 110 110 "0"
make town_1 2 4 3 140 100 "norm(0,6)"
make town_2 3 3 5 120 90 "norm(0,8)"
make town_3 4 4 4 100 130 "norm(0,10)"
make town_4 5 5 3 90 120 "norm(0,5)"
make town_5 6 3 4 130 130 "norm(0,12)"
# For training alone (random worlds): junctions of many angles and radii, where two towns had taught those of two towns.
make town_6 11 3 4 100 120 "norm(0,14)" 8
make town_7 12 4 3 130 90 "norm(0,9)" 10
make town_8 13 3 4 90 110 "norm(0,11)" 7
make town_9 14 4 3 110 140 "norm(0,16)"
make town_10 31 4 3 140 120 "norm(0,18)"
make town_11 16 4 3 120 100 "norm(0,7)" 11
make town_12 17 3 4 110 90 "norm(0,10)"
make town_13 18 3 4 150 100 "norm(0,13)" 8
make town_14 19 4 3 90 130 "norm(0,12)" 10
make town_15 20 3 4 120 120 "norm(0,6)"
make town_16 21 4 3 100 100 "norm(0,12)" 7.5
make town_17 22 3 4 130 110 "norm(0,15)" 10
make town_18 23 4 3 140 130 "norm(0,17)"
make town_19 24 3 4 100 140 "norm(0,9)" 8.5
make town_20 25 4 3 110 110 "norm(0,14)"
make town_21 26 3 4 90 90 "norm(0,8)"
