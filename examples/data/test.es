Mi abuela jugó al fútbol con el cocinero en la escuela anoche.
Nuestros vecinos esperan el autobús en la estación todos los días.
Nuestros vecinos escribieron una carta en la escuela anteayer.
Nuestros vecinos comerán fruta en casa la próxima semana.
Nuestros vecinos escribieron un poema con mi hermano en la escuela ayer.
Nuestros vecinos cantarán canciones antiguas en el jardín mañana por la mañana.
Mañana por la mañana mis amigos quieren buscar la bicicleta con mi hermana en el jardín.
El médico cantó una canción con mi hermano en el pueblo la semana pasada.
Mi hermano aprendió matemáticas con la chica en casa el año pasado.
Mañana el cocinero quiere buscar agua con el médico en el pueblo.
Mi hermana lava la bicicleta con la chica junto al río todos los domingos.
El granjero espera el tren con mi hermano en el pueblo todos los domingos.
Mis amigos aprenden inglés en la ciudad todas las noches.
Nuestros vecinos escucharán música con las mujeres en la cocina el próximo mes.
Mi hermana escribió una carta con mis amigos en el hotel anteayer.
Mañana por la mañana los turistas quieren reparar la radio con las mujeres en la ciudad.
Mi hermana comió pan con el estudiante en el jardín anoche.
El año pasado mi hermano vendió flores con mis amigos en el pueblo.
El estudiante reparó el coche con el granjero en la playa anteayer.
Los turistas cocinarán pescado con mi hija en el pueblo la próxima semana.
La semana pasada los niños compraron leche con mi hija en la ciudad.
Todos los domingos las mujeres dibujan flores con mi hermana en casa.
Los turistas plantaron árboles con los niños en la escuela ayer.
El médico planta flores con el cocinero en el jardín todos los domingos.
La chica vende pescado con el cocinero en la ciudad todos los domingos.
Mi hermana comió arroz con el granjero en el hotel anoche.
Mi hermana quiere escuchar canciones antiguas con las mujeres en la escuela mañana por la mañana.
Mañana por la mañana mis amigos comprarán pescado en el pueblo.
Nuestros vecinos esperarán el autobús en el pueblo mañana por la mañana.
Mi hija jugó al fútbol con los niños en el pueblo el año pasado.
Mi hermano quiere beber té con la chica en la ciudad el próximo mes.
El médico bebe leche con la maestra bajo el árbol todos los días.
El granjero escribió un cuento en casa anoche.
Todos los domingos el médico escucha canciones antiguas con la chica en el jardín.
La semana pasada el cocinero reparó el barco con mis padres en la playa.
El granjero lavará el coche con mi abuela en casa pasado mañana.
El médico reparó el barco con mi abuela en la playa el año pasado.
Pasado mañana nuestros vecinos quieren leer el periódico en el jardín.
Los niños vieron una película con los turistas en el pueblo anteayer.
Mi hermana quiere beber té con la maestra en la ciudad mañana.
Mis padres cocinaron sopa con las mujeres en la cocina la semana pasada.
Todos los domingos la chica aprende inglés en la ciudad.
Los turistas aprenderán chino con mi hija en la ciudad pasado mañana.
La próxima semana la chica quiere cantar una canción con nuestros vecinos en casa.
Mis padres buscan la llave con mi hija en casa todos los domingos.
Las mujeres jugarán al fútbol en la escuela mañana por la mañana.
Mi hija escucha canciones antiguas con el médico en el hotel todas las noches.
Mi hermano leyó una carta con mi abuela en la escuela ayer.
El estudiante dibujó una casa en la escuela anoche.
Mis amigos bebieron té con el granjero en la estación ayer.
